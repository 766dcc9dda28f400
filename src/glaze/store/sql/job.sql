-- name: keys_taken
-- Reserve idempotency keys in key order, so that two calls cannot wait for each other; an expired key is free again.
insert into idempotency_key as k (workspace_id, key, body_hash, job_id, expires_at)
select current_workspace(), g.key, decode(g.hash, 'hex'), nextval('job_id_seq'), clock_timestamp() + interval '24 hours'
from json_to_recordset(%(keys)s::json) as g(key text, hash text)
order by g.key
on conflict (workspace_id, key) do update
  set body_hash = excluded.body_hash, job_id = excluded.job_id, expires_at = excluded.expires_at
  where k.expires_at <= clock_timestamp()
returning k.key, k.job_id

-- name: keys_known
-- What the keys that others hold stand for.
select key, encode(body_hash, 'hex') as hash, job_id from idempotency_key
where workspace_id = current_workspace() and key = any(%(keys)s)

-- name: enqueue
-- All jobs of one call: ids in the caller's order, arguments beside, one event each. None where nobody looked whom they
-- name, and somebody is suppressed.
with moment as materialized (select clock_timestamp() as now),
given as materialized (
  select g.n, coalesce(g.id, nextval('job_id_seq')) as id, g.kind, g.queue, g.priority, g.max_attempts,
         g.correlation_id, g.expires_at, g.tags, g.webhook_url, g.replay_of, coalesce(g.args, 'null') as args,
         json_array_length(g.after) as open_parents, g.workflow_id, g.step, g.traceparent,
         greatest(g.due_at, m.now) as due_at,
         (case when g.after is not null then 'waiting' when g.due_at > m.now then 'scheduled' else 'pending' end)::job_state
           as state
  from moment m, json_to_recordset(%(jobs)s::json) as g(n int, id bigint, kind text, queue text, priority smallint,
    max_attempts smallint, correlation_id text, expires_at timestamptz, due_at timestamptz, args jsonb,
    tags text[], webhook_url text, replay_of bigint, after json, workflow_id bigint, step text, traceparent text)
  where not (%(unlisted)s and exists (select from suppression where workspace_id = current_workspace()))
  order by g.n
), made as (
  insert into job (workspace_id, id, kind, queue, state, priority, rank, due_at, max_attempts, correlation_id, expires_at,
    tags, webhook_url, replay_of, open_parents, workflow_id, step)
  select current_workspace(), id, kind, queue, state, priority, job_rank(due_at, priority), due_at, max_attempts,
         correlation_id, expires_at, tags, webhook_url, replay_of, open_parents, workflow_id, step
  from given order by n
), args as (
  insert into job_args (workspace_id, job_id, args, traceparent)
  select current_workspace(), id, args, traceparent from given order by n
), logged as (
  insert into event (workspace_id, type, job_id) select current_workspace(), 'enqueued', id from given order by n
)
select n, id, queue, case when state = 'pending' then job_rank(due_at, priority) end as rank from given order by n

-- name: insert_ended
-- Jobs whose result was known when they were asked for: at their end from the beginning, with what any end leaves.
-- Nobody took or tried them. None where nobody looked whom they name, and somebody is suppressed.
with moment as materialized (select clock_timestamp() as now),
given as materialized (
  select g.n, coalesce(g.id, nextval('job_id_seq')) as id, nextval('result_id_seq') as result_id, g.kind, g.queue,
         g.priority, g.max_attempts, g.correlation_id, g.tags, g.webhook_url, g.args, g.traceparent, g.body,
         m.now, m.now - make_interval(secs => g.took_s) as begun
  from moment m, json_to_recordset(%(jobs)s::json) as g(n int, id bigint, kind text, queue text, priority smallint,
    max_attempts smallint, correlation_id text, args jsonb, tags text[], webhook_url text, traceparent text,
    body jsonb, took_s float8)
  where not (%(unlisted)s and exists (select from suppression where workspace_id = current_workspace()))
  order by g.n
), kept as (
  insert into result (workspace_id, id, body) select current_workspace(), result_id, body from given order by n
), made as (
  insert into job (workspace_id, id, kind, queue, state, priority, rank, due_at, max_attempts, correlation_id, tags,
    webhook_url, created_at, started_at, finished_at, result_id)
  select current_workspace(), id, kind, queue, 'completed', priority, job_rank(begun, priority), begun, max_attempts,
         correlation_id, tags, webhook_url, begun, begun, now, result_id
  from given order by n
), args as (
  insert into job_args (workspace_id, job_id, args, traceparent)
  select current_workspace(), id, args, traceparent from given order by n
), logged as (
  insert into event (workspace_id, type, job_id)
  select current_workspace(), type, id from given, unnest(array['enqueued', 'completed']) with ordinality as e(type, step)
  order by n, step
)
select n, id, begun, now from given order by n

-- name: replayed
-- In the logs of jobs that others repeat; one that was purged has none.
insert into event (workspace_id, type, job_id, data)
select o.workspace_id, 'replayed', o.id, jsonb_build_object('job', g.job)
from json_to_recordset(%(jobs)s::json) as g(replay_of bigint, job bigint)
join job o on o.workspace_id = current_workspace() and o.id = g.replay_of

-- name: claim
-- Most urgent due rows of one queue first; rows locked by another worker are passed over. The rows are
-- found by their place (ctid) under lock: no join, so no plan that reads the table.
with taken as (
  update job set state = 'processing', worker_id = %(worker)s, claim_no = claim_no + 1, attempt = attempt + 1,
    started_at = (select clock_timestamp())
  where ctid = any(array(
    select j.ctid from job j
    where j.queue = %(queue)s and j.state = 'pending' and j.deaths < 2
      and j.rank >= coalesce(%(from_rank)s::timestamptz, '-infinity')
      and (j.expires_at is null or j.expires_at > (select clock_timestamp()))
      and (j.batch_id is null or exists (
        select from batch b where b.workspace_id = j.workspace_id and b.id = j.batch_id and b.state = 'running'))
      and not exists (select from queue where name = %(queue)s and paused_at is not null)
      and exists (select from worker where id = %(worker)s and stopped_at is null and drain_at is null)
      and (%(kinds)s::text[] is null or j.kind = any(%(kinds)s::text[]))
    order by j.rank, j.id limit %(n)s
    for update skip locked))
  returning workspace_id, id, kind, attempt, max_attempts, created_at, batch_id, row_no, correlation_id, worker_id, claim_no,
    null as args, null as traceparent, rank
), logged as (
  insert into event (workspace_id, type, job_id, data)
  select workspace_id, 'claimed', id, jsonb_build_object('worker', %(worker)s::bigint, 'attempt', attempt)
  from taken where batch_id is null
)
select * from taken order by rank, id

-- name: claim_suspect
-- The same for one job that saw two workers die: it runs alone among its like.
with taken as (
  update job set state = 'processing', worker_id = %(worker)s, claim_no = claim_no + 1, attempt = attempt + 1,
    started_at = (select clock_timestamp())
  where ctid = any(array(
    select j.ctid from job j
    where j.queue = any(%(queues)s) and j.state = 'pending' and j.deaths >= 2
      and (j.expires_at is null or j.expires_at > (select clock_timestamp()))
      and (j.batch_id is null or exists (
        select from batch b where b.workspace_id = j.workspace_id and b.id = j.batch_id and b.state = 'running'))
      and not exists (select from queue q where q.name = j.queue and q.paused_at is not null)
      and exists (select from worker where id = %(worker)s and stopped_at is null and drain_at is null)
      and (%(kinds)s::text[] is null or j.kind = any(%(kinds)s::text[]))
    order by j.rank, j.id limit 1
    for update skip locked))
  returning workspace_id, id, kind, attempt, max_attempts, created_at, batch_id, row_no, correlation_id, worker_id, claim_no,
    null as args, null as traceparent, rank
), logged as (
  insert into event (workspace_id, type, job_id, data)
  select workspace_id, 'claimed', id, jsonb_build_object('worker', %(worker)s::bigint, 'attempt', attempt)
  from taken where batch_id is null
)
select * from taken

-- name: args_of_jobs
-- Arguments of plain jobs.
select job_id, args, traceparent from job_args
where workspace_id = current_workspace() and job_id = any(%(jobs)s::bigint[])

-- name: by_hash
-- Groups are found by key and then joined by hash: without statistics the planner takes a group for one row
-- and would compare each with each.
set local enable_nestloop = off

-- name: finish
-- Ends of attempts whose jobs stay rows: compare and set on (id, processing, token), result and event beside.
-- What was to run again but was cancelled meanwhile is cancelled; what would sleep but was woken meanwhile is due now.
-- The ids are given a second time so that they are looked up in the key, whatever statistics say.
with ended as materialized (
  select e.id, e.worker_id, e.claim_no, e.state, e.type, e.given_back, e.error, e.data, e.body, m.now,
         coalesce(e.due_at, m.now + make_interval(secs => e.delay_s)) as due_at,
         case when e.body is not null then nextval('result_id_seq') end as result_id
  from (select clock_timestamp() as now) m,
    json_to_recordset(%(ended)s::json) as e(id bigint, worker_id bigint, claim_no int, state job_state, type text,
      due_at timestamptz, delay_s float8, given_back smallint, error text, data jsonb, body text)
), closed as (
  update job j set
    state = case when e.state = 'scheduled' and j.cancel_requested then 'cancelled' else e.state end,
    worker_id = null,
    attempt = j.attempt - coalesce(e.given_back, 0),
    due_at = case when e.type = 'snoozed' and j.woken_in = j.claim_no then e.now else coalesce(e.due_at, j.due_at) end,
    rank = case when e.type = 'snoozed' and j.woken_in = j.claim_no then job_rank(e.now, j.priority, j.batch_id)
                when e.state = 'scheduled' then job_rank(e.due_at, j.priority, j.batch_id) else j.rank end,
    finished_at = case when e.state <> 'scheduled' or j.cancel_requested then e.now end,
    result_id = e.result_id,
    error = case when e.state in ('completed', 'partial') then null else coalesce(e.error, j.error) end
  from ended e
  where j.workspace_id = current_workspace() and j.id = any(%(ids)s::bigint[])
    and j.id = e.id and j.state = 'processing'
    and j.worker_id = e.worker_id and j.claim_no = e.claim_no
  returning j.id, j.state, j.batch_id, e.state as wanted, e.type, e.data, e.result_id, e.body
), kept as (
  insert into result (workspace_id, id, body)
  select current_workspace(), result_id, body::jsonb from closed where body is not null
), logged as (
  insert into event (workspace_id, type, job_id, batch_id, data)
  select current_workspace(), case when state = wanted then coalesce(type, state::text) else state::text end,
         id, batch_id, data
  from closed where batch_id is null or type = 'retried' or state <> wanted
)
select id from closed

-- name: hold
-- Batch rows' jobs of a group that may run again, held so that a cancel comes either before or after.
select from job where workspace_id = current_workspace() and id = any(%(jobs)s) order by id for update

-- name: finish_rows
-- Batch rows at their end: the job row goes, its result stays.
with ended as materialized (
  select e.*, case when e.body is not null then nextval('result_id_seq') end as result_id
  from json_to_recordset(%(ended)s::json) as e(id bigint, worker_id bigint, claim_no int, state job_state, error text, body text)
), gone as (
  delete from job j using ended e
  where j.workspace_id = current_workspace() and j.id = any(%(ids)s::bigint[])
    and j.id = e.id and j.state = 'processing'
    and j.worker_id = e.worker_id and j.claim_no = e.claim_no
    and (e.state <> 'scheduled' or j.cancel_requested)
  returning j.workspace_id, j.id, j.batch_id, j.row_no, e.error, e.result_id, e.body,
    case when e.state = 'scheduled' then 'cancelled' else e.state end as state
), kept as (
  insert into result (workspace_id, id, body)
  select current_workspace(), result_id, body::jsonb from gone where body is not null
)
select workspace_id, id, batch_id, row_no, error, result_id, state from gone

-- name: hold_to_cancel
-- What is cancelled together, in the order in which ends lock: their own jobs first, then the successors.
select from job where workspace_id = current_workspace() and id = any(%(jobs)s)
order by state = 'waiting', id for update

-- name: cancel
-- What has not begun is cancelled at once; what runs is asked to stop.
with moment as materialized (select clock_timestamp() as now),
hit as (
  update job j set
    cancel_requested = true, open_parents = null,
    state = case when j.state = 'processing' then j.state else 'cancelled' end,
    finished_at = case when j.state = 'processing' then null else m.now end
  from moment m
  where j.workspace_id = current_workspace() and j.id = any(%(jobs)s) and j.batch_id is null
    and j.state in ('waiting', 'scheduled', 'pending', 'processing') and not j.cancel_requested
  returning j.id, j.state
), logged as (
  insert into event (workspace_id, type, job_id)
  select current_workspace(), case when state = 'processing' then 'cancel_requested' else 'cancelled' end, id from hit
)
select id, state from hit

-- name: reopen
-- A terminal job again, as a new round: attempts and deaths start over, its log goes on.
with moment as materialized (select clock_timestamp() as now),
opened as (
  update job j set state = 'pending', round = j.round + 1, attempt = 0, deaths = 0, cancel_requested = false,
    due_at = m.now, rank = job_rank(m.now, j.priority), finished_at = null, result_id = null, error = null, expires_at = null
  from moment m
  where j.workspace_id = current_workspace() and j.id = any(%(jobs)s)
    and j.state in ('completed', 'partial', 'failed', 'dead', 'cancelled')
  returning j.id, j.queue, j.rank, j.round
), logged as (
  insert into event (workspace_id, type, job_id, data)
  select current_workspace(), 'reopened', id, jsonb_build_object('round', round) from opened
)
select id, queue, rank from opened

-- name: get
-- One job with what it was given and what it gave.
select j.*, a.args, r.body as result, p.data as progress
from job j
left join job_args a on a.workspace_id = j.workspace_id and a.job_id = j.id
left join result r on r.workspace_id = j.workspace_id and r.id = j.result_id
left join lateral (  -- a frozen worker may still talk: the latest claim has the word
  select e.data from event e
  where e.workspace_id = current_workspace() and e.job_id = j.id and e.type = 'progress'
  order by (e.data->>'claim')::int desc, e.id desc limit 1) p on true
where j.workspace_id = current_workspace() and j.id = %(job)s

-- name: ended
-- Which of some jobs of any workspaces are at their end, or gone; one look at the key for each.
select a.workspace_id, a.id
from unnest(%(workspaces)s::bigint[], %(jobs)s::bigint[]) as a(workspace_id, id)
left join lateral (
  select state from job j where j.workspace_id = a.workspace_id and j.id = a.id limit 1) j on true
where j.state is null or j.state in ('completed', 'partial', 'failed', 'dead', 'cancelled')

-- name: result
-- One result, as it was written.
select body from result where workspace_id = current_workspace() and id = %(result)s

-- name: page
-- Newest first, below an id.
select * from job j
where j.workspace_id = current_workspace() and j.id < coalesce(%(before)s::bigint, 9223372036854775807)
  and (%(state)s::text is null or j.state = %(state)s::text::job_state)
order by j.id desc limit %(n)s

-- name: cancels
-- Which jobs of a worker are asked to stop.
select id from job where worker_id = %(worker)s and state = 'processing' and cancel_requested

-- name: in_index_order
-- A table without statistics yet must not make promotion sort all that is scheduled.
set local enable_sort = off

-- name: promote
-- What has come due becomes pending, oldest first, a chunk at a time.
with due as (
  update job set state = 'pending'
  where ctid = any(array(
    select ctid from job where state = 'scheduled' and due_at <= (select clock_timestamp())
    order by due_at limit %(n)s for update skip locked))
  returning workspace_id, id, queue, rank, batch_id
), logged as (
  insert into event (workspace_id, type, job_id) select workspace_id, 'due', id from due where batch_id is null
)
select queue, min(rank) as rank, count(*) as moved from due group by queue

-- name: expire
-- What was not begun in time is dead.
with late as (
  update job set state = 'dead', finished_at = (select clock_timestamp()), error = 'expired: not begun in time'
  where ctid = any(array(
    select ctid from job
    where expires_at is not null and state in ('scheduled', 'pending') and expires_at <= (select clock_timestamp())
    order by expires_at limit %(n)s for update skip locked))
  returning workspace_id, id, batch_id
), logged as (
  insert into event (workspace_id, type, job_id, batch_id, data)
  select workspace_id, 'dead', id, batch_id, '{"code": "expired", "message": "not begun in time"}' from late
)
select id from late

-- name: lost
-- Jobs whose worker is marked as stopped, or gone from the registry. Who held a job is found first and compared
-- under lock: a job that was given back and claimed anew meanwhile is a live worker's.
with found as materialized (
  select j.workspace_id, j.id, j.worker_id, j.claim_no
  from job j left join worker w on w.id = j.worker_id
  where j.state = 'processing' and (w.id is null or w.stopped_at is not null)
  order by j.id limit %(n)s
)
select j.workspace_id, j.id, j.batch_id, j.row_no, j.deaths, j.cancel_requested, j.worker_id
from job j join found f on f.workspace_id = j.workspace_id and f.id = j.id
where j.state = 'processing' and j.worker_id = f.worker_id and j.claim_no = f.claim_no
order by j.id
for update of j skip locked

-- name: held
-- Jobs that a worker holds, but for those it keeps.
select workspace_id, id, batch_id, row_no, deaths, cancel_requested, worker_id
from job
where worker_id = %(worker)s and state = 'processing' and not id = any(%(keep)s)
order by id
for update

-- name: release
-- Back to the queue with place and attempt as they were, or to their end where they may not run again.
with freed as materialized (
  select * from json_to_recordset(%(freed)s::json) as f(workspace_id bigint, id bigint, state job_state, deaths smallint,
    error text, type text, data jsonb)
), back as (
  update job j set state = f.state, worker_id = null, attempt = j.attempt - 1, deaths = f.deaths,
    error = coalesce(f.error, j.error),
    finished_at = case when f.state <> 'pending' then (select clock_timestamp()) end
  from freed f
  where j.id = any(array(select id from freed)) and j.workspace_id = f.workspace_id and j.id = f.id
    and j.state = 'processing'
  returning j.workspace_id, j.id, j.batch_id, j.queue, j.rank, j.state, f.type, f.data
), logged as (
  insert into event (workspace_id, type, job_id, batch_id, data)
  select workspace_id, type, id, batch_id, data from back where batch_id is null or type <> 'handed_back'
)
select queue, min(rank) as rank from back where state = 'pending' group by queue

-- name: remove
-- Jobs of batch rows that reached their end while nobody held them.
delete from job j using json_to_recordset(%(gone)s::json) as g(workspace_id bigint, id bigint)
where j.workspace_id = g.workspace_id and j.id = g.id and j.state = 'processing'
