-- name: expect
-- The job waits for this from now on, unless it did before.
insert into job_callback (workspace_id, job_id, event, wanted_until)
values (current_workspace(), %(job)s, %(event)s, clock_timestamp() + make_interval(secs => %(within_s)s))
on conflict do nothing

-- name: read
-- What came of it.
select data, arrived_at is not null as arrived, wanted_until, wanted_until <= clock_timestamp() as late
from job_callback where workspace_id = current_workspace() and job_id = %(job)s and event = %(event)s

-- name: hold_job
-- The job, held so that what it does next comes after this.
select state::text from job where workspace_id = current_workspace() and id = %(job)s for update

-- name: hold
-- What it waits for.
select arrived_at is not null as arrived, wanted_until <= clock_timestamp() as late from job_callback
where workspace_id = current_workspace() and job_id = %(job)s and event = %(event)s for update

-- name: answer
-- It is there.
update job_callback set data = %(data)s, arrived_at = clock_timestamp()
where workspace_id = current_workspace() and job_id = %(job)s and event = %(event)s

-- name: wake
-- The job that waits for it is due now, and one that still runs will be where it goes to sleep after this.
with moment as materialized (select clock_timestamp() as now),
woken as (
  update job j set state = case when j.state = 'scheduled' then 'pending' else j.state end,
    due_at = case when j.state = 'scheduled' then m.now else j.due_at end,
    rank = case when j.state = 'scheduled' then job_rank(m.now, j.priority, j.batch_id) else j.rank end,
    woken_in = j.claim_no
  from moment m
  where j.workspace_id = current_workspace() and j.id = %(job)s and j.state in ('processing', 'scheduled')
  returning j.id, j.state, j.queue, j.rank, j.batch_id
), logged as (
  insert into event (workspace_id, type, job_id, data)
  select current_workspace(), 'called_back', %(job)s, jsonb_build_object('event', %(event)s::text)
)
select queue, rank from woken where state = 'pending'
