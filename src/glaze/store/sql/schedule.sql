-- name: now
-- The database's clock decides what is due, not a machine's.
select clock_timestamp() as now

-- name: save
-- A new schedule, or the one of this name as it is now. Where its times stay the same so does the next one, and
-- what was missed is not forgotten.
with saved as (
  insert into schedule as s (workspace_id, name, cron, zone, kind, args, queue, priority, max_attempts, tags, overlap, missed, next_at)
  values (current_workspace(), %(name)s, %(cron)s, %(zone)s, %(kind)s, %(args)s::jsonb, %(queue)s, %(priority)s,
          %(max_attempts)s, %(tags)s, %(overlap)s::overlap_policy, %(missed)s::missed_policy, %(next_at)s)
  on conflict (workspace_id, name) do update set
    cron = excluded.cron, zone = excluded.zone, kind = excluded.kind, args = excluded.args, queue = excluded.queue,
    priority = excluded.priority, max_attempts = excluded.max_attempts, tags = excluded.tags, overlap = excluded.overlap,
    missed = excluded.missed,
    next_at = case when s.cron = excluded.cron and s.zone = excluded.zone then s.next_at else excluded.next_at end
  returning id, name, xmax = 0 as created
), logged as (
  insert into event (workspace_id, type, data)
  select current_workspace(), case when created then 'schedule_created' else 'schedule_changed' end,
         jsonb_build_object('schedule', name)
  from saved
)
select id, created from saved

-- name: list
-- All schedules, or the one of a name, with how the last job stands.
select s.id, s.name, s.cron, s.zone, s.kind, s.args, s.queue, s.priority, s.max_attempts, coalesce(s.tags, '{}') as tags,
       s.overlap::text, s.missed::text, s.paused_at, s.next_at, s.last_fired_for, s.last_job_id, s.created_at,
       j.state::text as last_job_state, clock_timestamp() as now
from schedule s left join job j on j.workspace_id = s.workspace_id and j.id = s.last_job_id
where s.workspace_id = current_workspace() and (%(name)s::text is null or s.name = %(name)s)
order by s.name

-- name: pause
-- No more jobs until it is resumed.
with turned as (
  update schedule set paused_at = clock_timestamp()
  where workspace_id = current_workspace() and name = %(name)s and paused_at is null
  returning name
), logged as (
  insert into event (workspace_id, type, data)
  select current_workspace(), 'schedule_paused', jsonb_build_object('schedule', name) from turned
)
select name from turned

-- name: resume
-- It goes on; what was missed meanwhile is due, and its policy decides.
with turned as (
  update schedule set paused_at = null
  where workspace_id = current_workspace() and name = %(name)s and paused_at is not null
  returning name
), logged as (
  insert into event (workspace_id, type, data)
  select current_workspace(), 'schedule_resumed', jsonb_build_object('schedule', name) from turned
)
select name from turned

-- name: delete
-- The schedule goes, its jobs stay.
with gone as (
  delete from schedule where workspace_id = current_workspace() and name = %(name)s returning name
), logged as (
  insert into event (workspace_id, type, data)
  select current_workspace(), 'schedule_deleted', jsonb_build_object('schedule', name) from gone
)
select name from gone

-- name: soonest
-- The schedules of all workspaces whose time comes first, due or not: one index, read from its beginning.
select workspace_id, id, next_at, extract(epoch from next_at - (select clock_timestamp()))::float8 as wait_s
from schedule where paused_at is null order by next_at limit %(n)s

-- name: take_due
-- The compare of compare-and-set: the schedule under lock, if this time of it is still to be fired for. Whoever
-- comes second finds it locked, or its time gone.
select id, name, cron, zone, kind, args, queue, priority, max_attempts, coalesce(tags, '{}') as tags, overlap::text,
       missed::text, next_at, last_job_id, clock_timestamp() as now
from schedule
where workspace_id = current_workspace() and id = %(id)s and next_at = %(next_at)s and paused_at is null
  and next_at <= clock_timestamp()
for update skip locked

-- name: take
-- The same by name, whenever its time is.
select id, name, cron, zone, kind, args, queue, priority, max_attempts, coalesce(tags, '{}') as tags, overlap::text,
       missed::text, next_at, last_job_id, clock_timestamp() as now
from schedule
where workspace_id = current_workspace() and name = %(name)s
for update

-- name: unfinished
-- The last job, where it has not ended.
select id from job
where workspace_id = current_workspace() and id = %(job)s
  and state not in ('completed', 'partial', 'failed', 'dead', 'cancelled')

-- name: fired
-- The set of compare-and-set, after the jobs of the same transaction, with what the log says of it. A schedule
-- that never comes again, or cannot be read any more, is paused.
with turned as (
  update schedule set
    next_at = coalesce(%(next_at)s, next_at),
    paused_at = case when %(next_at)s::timestamptz is null then clock_timestamp() else paused_at end,
    last_fired_for = coalesce(%(fired_for)s, last_fired_for),
    last_job_id = coalesce(%(job)s, last_job_id)
  where workspace_id = current_workspace() and id = %(id)s
  returning id
), logged as (
  insert into event (workspace_id, type, job_id, data)
  select current_workspace(), e.type, e.job_id, e.data
  from turned, json_to_recordset(%(events)s::json) as e(type text, job_id bigint, data jsonb)
)
select id from turned
