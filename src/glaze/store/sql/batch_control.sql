-- name: page
-- Batches, newest first, below an id; of some states and with all of some tags, where these are given.
select b.id, b.state::text, b.kind, b.name, b.tags, b.total, b.queued, b.completed, b.partial, b.failed, b.cancelled, b.created_at,
       b.finished_at, b.cancelled_at, r.running
from batch b
cross join lateral (
  select count(*) as running from job j
  where j.workspace_id = b.workspace_id and j.batch_id = b.id and j.state = 'processing') r
where b.workspace_id = current_workspace() and b.id < coalesce(%(before)s::bigint, 9223372036854775807)
  and (%(states)s::text[] is null or b.state::text = any(%(states)s)) and b.tags @> %(tags)s::text[]
order by b.id desc limit %(n)s

-- name: plan
-- What a batch asks and how it is worked on.
select kind, queue, priority, feed_window, settings, coalesce(columns, '[]') as columns from batch where workspace_id = current_workspace() and id = %(batch)s

-- name: input_names
-- Names in the inputs of all rows.
select distinct k.name from batch_row r cross join lateral jsonb_object_keys(r.input) as k(name)
where r.workspace_id = current_workspace() and r.batch_id = %(batch)s and jsonb_typeof(r.input) = 'object'
order by k.name

-- name: hold
-- Its state, which nobody changes until we commit.
select state::text, queue, total, job_id from batch where workspace_id = current_workspace() and id = %(batch)s for update

-- name: reopen_rows
-- Rows of one stretch that are to be tried again are new; the batch stands still until all stretches are through. A
-- partial row keeps its result until there is another.
with found as materialized (
  select row_no, state, result_id from batch_row
  where workspace_id = current_workspace() and batch_id = %(batch)s
    and row_no > %(after)s and row_no <= %(until)s and state::text = any(%(states)s)
  order by row_no
), opened as (
  update batch_row r set state = 'new', error = null, result_id = case when f.state = 'partial' then f.result_id end
  from found f
  where r.workspace_id = current_workspace() and r.batch_id = %(batch)s and r.row_no > %(after)s and r.row_no <= %(until)s
    and r.row_no = f.row_no
), dropped as (
  delete from result x using found f
  where x.workspace_id = current_workspace() and x.id = f.result_id and f.state = 'failed'
), delta as (
  select count(*) as n, count(*) filter (where state = 'failed') as failed, count(*) filter (where state = 'partial') as partial
  from found
), was as (
  select state from batch where workspace_id = current_workspace() and id = %(batch)s
), stopped as (
  update batch b set failed = b.failed - d.failed, partial = b.partial - d.partial, finished_at = null,
    reopening = b.reopening or b.state <> 'paused', state = 'paused'
  from delta d
  where b.workspace_id = current_workspace() and b.id = %(batch)s and d.n > 0
  returning b.id
), logged as (
  insert into event (workspace_id, type, batch_id)
  select current_workspace(), 'batch_paused', s.id from stopped s, was where was.state <> 'paused'
)
select n from delta

-- name: go_on
-- All rows to be tried again are new: the batch runs, or stays paused where the user had paused it.
with turned as (
  update batch set state = case when reopening then 'running' else 'paused' end::batch_state, reopening = false
  where workspace_id = current_workspace() and id = %(batch)s and state = 'paused' and (reopening or %(rows)s::int > 0)
  returning id
)
insert into event (workspace_id, type, batch_id, data)
select current_workspace(), 'batch_reopened', id, jsonb_build_object('rows', %(rows)s::int) from turned
returning batch_id

-- name: add_column
-- One more field of a batch that has ended: its rows are asked for it as a batch of their own.
update batch set settings = jsonb_set(settings, '{required_fields}', settings -> 'required_fields' || to_jsonb(%(field)s::text))
where workspace_id = current_workspace() and id = %(batch)s and finished_at is not null
  and jsonb_typeof(settings -> 'required_fields') = 'array' and not settings -> 'required_fields' ? %(field)s
returning id

-- name: since_stopped
-- What calls that were begun after a batch was stopped cost, or may.
select count(*) as calls, coalesce(sum(greatest(c.price_micros, c.reserved_micros)), 0)::bigint as cost_micros
from call c join batch b on b.workspace_id = c.workspace_id and b.id = c.batch_id
where c.workspace_id = current_workspace() and c.batch_id = %(batch)s and c.created_at > b.cancelled_at
  and (c.state <> 'not_billed' or c.verdict is not null)

-- name: tell_decided
-- Whoever looks at the table reads the row again.
insert into event (workspace_id, type, batch_id, data)
values (current_workspace(), 'cell_decided', %(batch)s, jsonb_build_object('row', %(row)s::int, 'field', %(field)s::text))
