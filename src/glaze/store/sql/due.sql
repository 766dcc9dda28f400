-- name: workspaces
-- Workspaces with calls that nobody works on any more, or whose answer is to be asked for.
select distinct workspace_id from call
where state in ('sending', 'pending_vendor') and greatest(poll_at, deadline) < (select clock_timestamp())

-- name: overdue
-- Calls past their deadline that are still sending, a page of them.
with late as materialized (
  select id from call
  where workspace_id = current_workspace() and state = 'sending' and greatest(poll_at, deadline) < (select clock_timestamp())
  order by greatest(poll_at, deadline) limit 500 for update skip locked
)
select id from late order by id

-- name: give_up
-- Nobody waits for these answers any more: whether they were charged is unknown.
with over as materialized (
  select id from call
  where workspace_id = current_workspace() and state = 'pending_vendor'
    and greatest(poll_at, deadline) < (select clock_timestamp()) and collect_until < clock_timestamp()
  order by greatest(poll_at, deadline) limit 500 for update skip locked
)
update call set state = 'unknown', detail = 'the promised answer did not come'
where workspace_id = current_workspace() and id = any(array(select id from over))

-- name: claim_due
-- Answers to ask for now; whoever claims one has it until its deadline, and dies with it.
with due as materialized (
  select id from call
  where workspace_id = current_workspace() and state = 'pending_vendor' and greatest(poll_at, deadline) < (select clock_timestamp())
  order by greatest(poll_at, deadline) limit %(most)s for update skip locked
)
update call c set deadline = clock_timestamp() + make_interval(secs => %(lease_s)s)
from due, question q
where c.workspace_id = current_workspace() and c.id = due.id and q.workspace_id = c.workspace_id and q.id = c.question_id
returning c.id, c.request_id, q.credential, q.provider, q.operation, c.resend, c.handle, c.asked, c.wanted, c.polls, c.poll_at

-- name: put_off
-- It is not there yet. A callback that came meanwhile has its way. Whatever the wait, it is asked for once more before it is given up.
update call set
  poll_at = case when poll_at <> %(poll_at)s then poll_at
                 when clock_timestamp() < collect_until - interval '30 seconds'
                 then least(clock_timestamp() + make_interval(secs => %(wait_s)s), collect_until - interval '30 seconds')
                 else clock_timestamp() + make_interval(secs => %(wait_s)s) end,
  deadline = clock_timestamp(), polls = least(polls + 1, 1000), handle = coalesce(%(handle)s, handle)
where workspace_id = current_workspace() and id = %(call)s and state = 'pending_vendor'

-- name: credential
-- Whose key a call was made with.
select q.credential from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
where c.workspace_id = current_workspace() and c.id = %(call)s

-- name: hold_call
-- A call that a vendor calls back about.
select c.state, c.handle, q.provider, q.operation, q.call_id = c.id as current
from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
where c.workspace_id = current_workspace() and c.id = %(call)s
for update of c

-- name: keep_callback
-- The same body counts once.
insert into callback (workspace_id, call_id, digest) values (current_workspace(), %(call)s, %(digest)s)
on conflict do nothing returning arrived_at

-- name: called_back
-- Ask for the answer at once, or as soon as the request that is still under way has ended.
update call set handle = coalesce(handle, %(handle)s), poll_at = clock_timestamp(),
  collect_until = greatest(collect_until, clock_timestamp() + interval '1 hour'),
  state = case when state = 'unknown' then 'pending_vendor' else state end
where workspace_id = current_workspace() and id = %(call)s

-- name: wake
-- Its answer is there: the job that was sent away to wait for it is due now, and one that still runs will be where it
-- goes to sleep after this.
with moment as materialized (select clock_timestamp() as now),
woken as (
  update job j set state = case when j.state = 'scheduled' then 'pending' else j.state end,
    due_at = case when j.state = 'scheduled' then m.now else j.due_at end,
    rank = case when j.state = 'scheduled' then job_rank(m.now, j.priority, j.batch_id) else j.rank end,
    woken_in = j.claim_no
  from moment m
  where j.workspace_id = current_workspace()
    and (j.state = 'processing' or j.state = 'scheduled' and j.due_at > m.now and j.started_at is not null)
    and j.id = (select c.job_id from call c where c.workspace_id = current_workspace() and c.id = %(call)s)
  returning j.id, j.state, j.queue, j.rank, j.batch_id
), logged as (
  insert into event (workspace_id, type, job_id)
  select current_workspace(), 'due', id from woken where state = 'pending' and batch_id is null
)
select queue, rank from woken where state = 'pending'
