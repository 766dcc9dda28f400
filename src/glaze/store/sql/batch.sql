-- name: create
-- A batch, empty and not yet fed.
insert into batch (workspace_id, kind, queue, priority, max_attempts, settings, source_key, feed_window, correlation_id, job_id,
  name, tags, request_key, request_hash, columns)
values (current_workspace(), %(kind)s, %(queue)s, %(priority)s, %(max_attempts)s, %(settings)s, %(source_key)s, %(feed_window)s,
  %(correlation_id)s, %(job_id)s, %(name)s, %(tags)s, %(request_key)s, %(request_hash)s, %(columns)s)
returning id

-- name: add_rows
-- Inputs in the caller's order, as one JSON array: COPY does not work under row level security. Beside it whom they name,
-- as far as that is known, and what is carried along.
insert into batch_row (workspace_id, batch_id, row_no, input, places, carried)
select current_workspace(), %(batch)s, %(after)s + g.n, g.input::jsonb, nullif(g.places::jsonb, 'null'), nullif(g.carried::jsonb, 'null')
from rows from (json_array_elements(%(inputs)s::json), json_array_elements(%(places)s::json), json_array_elements(%(carried)s::json))
  with ordinality as g(input, places, carried, n)

-- name: last_row
-- Where the next chunk goes on; the lock keeps two writers of one batch apart.
select b.state::text,
       coalesce((select max(row_no) from batch_row r where r.workspace_id = b.workspace_id and r.batch_id = b.id), 0) as row_no
from batch b where b.workspace_id = current_workspace() and b.id = %(batch)s for no key update of b

-- name: add_total
-- The rows of one chunk are there.
update batch set total = total + %(n)s where workspace_id = current_workspace() and id = %(batch)s

-- name: turn
-- From one of some states to another, or nothing. A batch without rows is finished when it starts. Calls that are being
-- recorded are waited for: whoever comes after them sees the new state.
with held as materialized (
  select workspace_id, id from batch where workspace_id = current_workspace() and id = %(batch)s for update
), turned as (
  update batch b set reopening = false,
    state = case when %(to)s = 'running' and total = completed + partial + failed + cancelled then 'finished'
                 else %(to)s::batch_state end,
    finished_at = case when %(to)s = 'running' and total = completed + partial + failed + cancelled then clock_timestamp() end
  from held where b.workspace_id = held.workspace_id and b.id = held.id and b.state::text = any(%(from)s)
  returning b.id, b.state, b.queue
), logged as (
  insert into event (workspace_id, type, batch_id)
  select current_workspace(), case when state = 'finished' then 'batch_finished' else %(type)s end, id from turned
)
select id, state::text, queue from turned

-- name: cancel
-- One row flips; what was never fed counts as cancelled at once, however many rows that are. Calls that are being
-- recorded are waited for, so that none is begun after the time that is written here.
with held as materialized (
  select workspace_id, id from batch where workspace_id = current_workspace() and id = %(batch)s for update
), turned as (
  update batch b set state = 'cancelled', cancelled_at = clock_timestamp(),
    cancelled = total - completed - partial - failed - queued,
    finished_at = case when queued = 0 then clock_timestamp() end
  from held
  where b.workspace_id = held.workspace_id and b.id = held.id and b.state in ('loading', 'running', 'paused')
  returning b.id, b.finished_at is not null as over
), logged as (
  insert into event (workspace_id, type, batch_id) select current_workspace(), 'batch_cancelled', id from turned
)
select id, over from turned

-- name: tell_progress
-- Open batches that came further since that was told; one whose counters are being written is told of next time.
with moved as materialized (
  select b.workspace_id, b.id from batch b
  where b.finished_at is null and b.state <> 'loading' and b.told <> b.completed + b.partial + b.failed + b.cancelled
    and (b.told_at is null or b.told_at <= (select clock_timestamp()) - make_interval(secs => %(spacing_s)s))
  order by b.id for no key update skip locked
), told as (
  update batch b set told = b.completed + b.partial + b.failed + b.cancelled, told_at = (select clock_timestamp())
  from moved m where b.workspace_id = m.workspace_id and b.id = m.id
  returning b.workspace_id, b.id
)
insert into event (workspace_id, type, batch_id) select workspace_id, 'batch_progress', id from told order by id

-- name: orphans
-- Open batches whose job has ended without waiting for them, by a cancel above all.
select b.workspace_id, b.id from batch b
where b.finished_at is null and b.state <> 'cancelled' and b.job_id is not null
  and not exists (
    select from job j where j.workspace_id = b.workspace_id and j.id = b.job_id and j.finished_at is null)
order by b.id

-- name: made_by
-- The batch that a job made in one of its rounds.
select id from batch
where workspace_id = current_workspace() and job_id = %(job_id)s and source_key = %(source_key)s
order by id desc limit 1

-- name: cancelled_open
-- Cancelled batches that still have jobs.
select workspace_id, id from batch where finished_at is null and state = 'cancelled' order by id

-- name: drop_waiting
-- Jobs of a cancelled batch that have not begun.
delete from job
where workspace_id = %(workspace)s and batch_id = %(batch)s and state in ('waiting', 'scheduled', 'pending')
returning workspace_id, id, batch_id, row_no

-- name: ask_to_stop
-- Jobs of a cancelled batch that run.
update job set cancel_requested = true
where workspace_id = %(workspace)s and batch_id = %(batch)s and state = 'processing' and not cancel_requested

-- name: settle_rows
-- Rows at their end: state and result reference on the row, one delta on each batch, an event for what is
-- abnormal. Batches in id order, after jobs, as everywhere.
with ended as materialized (
  select * from json_to_recordset(%(rows)s::json) as e(workspace_id bigint, id bigint, batch_id bigint, row_no int,
    state text, result_id bigint, error text)
), marked as (
  update batch_row r set
    state = (case when e.state = 'dead' then 'failed' else e.state end)::row_state,
    result_id = coalesce(e.result_id, r.result_id), error = e.error  -- a row tried again may have one
  from ended e
  where r.workspace_id = any(array(select workspace_id from ended)) and r.batch_id = any(array(select batch_id from ended))
    and r.row_no = any(array(select row_no from ended))  -- the key is used, whatever statistics say
    and r.workspace_id = e.workspace_id and r.batch_id = e.batch_id and r.row_no = e.row_no and r.state = 'queued'
  returning r.workspace_id, r.batch_id, r.state
), delta as (
  select workspace_id, batch_id, count(*) as n,
         count(*) filter (where state = 'completed') as completed, count(*) filter (where state = 'partial') as partial,
         count(*) filter (where state = 'failed') as failed, count(*) filter (where state = 'cancelled') as cancelled
  from marked group by workspace_id, batch_id
), locked as materialized (
  select b.workspace_id, b.id from batch b join delta d on d.workspace_id = b.workspace_id and d.batch_id = b.id
  order by b.id for no key update of b
), counted as (
  update batch b set queued = b.queued - d.n, completed = b.completed + d.completed, partial = b.partial + d.partial,
    failed = b.failed + d.failed, cancelled = b.cancelled + d.cancelled,
    state = case when b.state <> 'cancelled' and b.completed + b.partial + b.failed + b.cancelled + d.n = b.total
                 then 'finished' else b.state end,
    finished_at = case when b.completed + b.partial + b.failed + b.cancelled + d.n = b.total then clock_timestamp() end
  from delta d, locked l
  where b.workspace_id = d.workspace_id and b.id = d.batch_id and l.workspace_id = b.workspace_id and l.id = b.id
  returning b.workspace_id, b.id, b.state, b.finished_at, b.queued, b.feed_window,
    b.total - b.completed - b.partial - b.failed - b.cancelled - b.queued as left_to_feed
), logged as (
  insert into event (workspace_id, type, job_id, batch_id, data)
  select workspace_id, type, job_id, batch_id, data from (
    select 0 as part, workspace_id, state as type, id as job_id, batch_id,
           jsonb_build_object('row', row_no, 'error', error) as data
    from ended where state in ('failed', 'dead')
    union all
    select 1, workspace_id, 'batch_finished', null, id, null from counted where finished_at is not null and state = 'finished'
  ) said order by part
)
select id, finished_at is not null as over from counted
where finished_at is not null or (state = 'running' and left_to_feed > 0 and queued <= feed_window / 2)

-- name: progress
-- Counters of one batch, and how many of its rows a worker holds.
select id, state::text, kind, name, tags, total, queued, completed, partial, failed, cancelled, created_at, finished_at, cancelled_at,
       (select count(*) from job j
        where j.workspace_id = current_workspace() and j.batch_id = %(batch)s and j.state = 'processing') as running
from batch where workspace_id = current_workspace() and id = %(batch)s

-- name: find
-- The batch that was made from the same source and options and is open, or whose output was not written since it ended.
select id from batch where workspace_id = current_workspace() and source_key = %(source_key)s
  and state <> 'cancelled' and (state <> 'finished' or written_at is null or written_at < finished_at)
order by state = 'finished', id desc limit 1

-- name: of_request
-- The batch that a request with this key made, if any, and what was asked.
select id, state::text, request_hash from batch where workspace_id = current_workspace() and request_key = %(request_key)s

-- name: discard_rows
-- One stretch of the rows of a batch that is not to be started.
delete from batch_row r using batch b
where r.workspace_id = current_workspace() and r.batch_id = %(batch)s and r.row_no > %(after)s and r.row_no <= %(until)s
  and b.workspace_id = r.workspace_id and b.id = r.batch_id and b.state = 'loading'

-- name: discard
-- The batch itself, if it was never started.
delete from batch where workspace_id = current_workspace() and id = %(batch)s and state = 'loading'

-- name: written
-- The output of this end was written; a batch that was opened again since then is not meant.
update batch set written_at = clock_timestamp()
where workspace_id = current_workspace() and id = %(batch)s and finished_at = %(finished_at)s

-- name: results
-- Rows with results, by key; rows that a cancelled batch never fed count as cancelled.
select r.row_no, (case when b.state = 'cancelled' and r.state = 'new' then 'cancelled' else r.state::text end) as state,
       r.input, r.error, x.body as result, r.carried
from batch_row r
join batch b on b.workspace_id = r.workspace_id and b.id = r.batch_id
left join result x on x.workspace_id = r.workspace_id and x.id = r.result_id
where r.workspace_id = current_workspace() and r.batch_id = %(batch)s and r.row_no > %(after)s
order by r.row_no limit %(n)s

-- name: named_rows
-- Rows of some numbers with results, in order; those that a cancelled batch never fed count as cancelled.
select r.row_no, (case when b.state = 'cancelled' and r.state = 'new' then 'cancelled' else r.state::text end) as state,
       r.input, r.error, x.body as result, r.carried
from batch_row r
join batch b on b.workspace_id = r.workspace_id and b.id = r.batch_id
left join result x on x.workspace_id = r.workspace_id and x.id = r.result_id
where r.workspace_id = current_workspace() and r.batch_id = %(batch)s and r.row_no = any(%(rows)s::int[])
order by r.row_no

-- name: stretch
-- Rows of one stretch of numbers that are in one of some states; those that a cancelled batch never fed count as cancelled.
select f.* from (
  select r.row_no, (case when b.state = 'cancelled' and r.state = 'new' then 'cancelled' else r.state::text end) as state,
         r.input, r.error, x.body as result, r.carried
  from batch_row r
  join batch b on b.workspace_id = r.workspace_id and b.id = r.batch_id
  left join result x on x.workspace_id = r.workspace_id and x.id = r.result_id
  where r.workspace_id = current_workspace() and r.batch_id = %(batch)s and r.row_no > %(after)s and r.row_no <= %(until)s
) f
where f.state = any(%(states)s)
order by f.row_no limit %(n)s

-- name: settings
-- What all rows of a batch have in common.
select id, settings, created_at, correlation_id from batch where workspace_id = current_workspace() and id = any(%(batches)s)

-- name: inputs
-- Inputs of rows that were claimed; one look at the key for each.
select c.batch_id, c.row_no, r.input
from unnest(%(batches)s::bigint[], %(rows)s::int[]) as c(batch_id, row_no)
cross join lateral (
  select input from batch_row
  where workspace_id = current_workspace() and batch_id = c.batch_id and row_no = c.row_no limit 1) r

-- name: hungry
-- Running batches at or below half of their window; a batch that another feeder holds is passed over.
select workspace_id, id, kind, queue, priority, max_attempts, feed_window - queued as room
from batch
where finished_at is null and state = 'running' and queued <= feed_window / 2
  and completed + partial + failed + cancelled + queued < total and (%(batch)s::bigint is null or id = %(batch)s)
order by id limit 1
for no key update skip locked

-- name: feed
-- The next rows of one batch become jobs, up to its window.
with moment as materialized (select clock_timestamp() as now),
fed as (
  update batch_row r set state = 'queued'
  where r.workspace_id = %(workspace_id)s and r.batch_id = %(id)s and r.row_no = any(array(
    select n.row_no from batch_row n
    where n.workspace_id = %(workspace_id)s and n.batch_id = %(id)s and n.state = 'new'
    order by n.row_no limit %(room)s))
  returning r.row_no
), made as (
  insert into job (workspace_id, kind, queue, state, priority, rank, due_at, max_attempts, batch_id, row_no)
  select %(workspace_id)s, %(kind)s, %(queue)s, 'pending', %(priority)s, job_rank(m.now, %(priority)s::smallint, %(id)s), m.now,
         %(max_attempts)s, %(id)s, f.row_no
  from moment m, (select row_no from fed order by row_no) f
  returning rank
), counted as (
  update batch set queued = queued + (select count(*) from fed)
  where workspace_id = %(workspace_id)s and id = %(id)s
)
select count(*) as fed, min(rank) as rank from made
