-- name: hold_jobs
-- Parents, held so that an end comes either before or after. Asked twice: first for those that do not wait, then
-- for all. An end locks in the same order, its own job and then the successors.
select id, batch_id, state::text from job
where workspace_id = current_workspace() and id = any(%(jobs)s::bigint[]) and (%(all)s or state <> 'waiting')
order by id for share

-- name: hold_batches
-- The same for batches; their place is between the two.
select id, finished_at is not null as ended from batch
where workspace_id = current_workspace() and id = any(%(batches)s::bigint[])
order by id for share

-- name: add
-- Who waits for whom.
insert into job_edge (workspace_id, child_id, parent_id, batch_id, if_failed)
select current_workspace(), e.child_id, e.parent_id, e.batch_id, e.if_failed
from json_to_recordset(%(edges)s::json) as e(child_id bigint, parent_id bigint, batch_id bigint, if_failed if_failed)

-- name: by_index
-- A table of edges without statistics yet must not make every end read all of it.
set local enable_seqscan = off

-- name: successors_of_jobs
-- Who waits, or waited, for any of these: one look at an index for a whole group.
select distinct child_id as id from job_edge where parent_id = any(%(jobs)s::bigint[])

-- name: successors_of_batches
-- The same for batches at their end.
select distinct child_id as id from job_edge where batch_id = any(%(batches)s::bigint[])

-- name: by_key
-- Ends are joined by hash; who may fall with whom is looked up step by step.
set local enable_nestloop = on

-- name: hold_waiting
-- Those of these jobs that wait, and with them whoever falls with one that must; in id order.
with recursive reached(workspace_id, id, falls) as (
  select e.workspace_id, e.child_id, e.if_failed <> 'run'
    and coalesce(p.state in ('failed', 'dead', 'cancelled'), b.state = 'cancelled' and b.finished_at is not null, false)
  from job_edge e
  left join job p on p.workspace_id = e.workspace_id and p.id = e.parent_id
  left join batch b on b.workspace_id = e.workspace_id and b.id = e.batch_id
  where e.child_id = any(%(jobs)s::bigint[])
  union
  select e.workspace_id, e.child_id, e.if_failed <> 'run'
  from reached r
  join job c on c.workspace_id = r.workspace_id and c.id = r.id and c.state = 'waiting'
  join job_edge e on e.workspace_id = r.workspace_id and e.parent_id = r.id
  where r.falls
)
select workspace_id, id from job
where workspace_id = any(array(select workspace_id from reached)) and id = any(array(select id from reached))
  and state = 'waiting'
order by id for update

-- name: advance
-- What becomes of held jobs, judged anew from their parents, so that doing it twice changes nothing. Parents are read
-- by a statement of its own, after the lock: whoever ended one meanwhile has committed, or comes after us. A parent
-- that is not there any more was at its end.
with recursive moment as materialized (select clock_timestamp() as now),
held as materialized (
  select * from unnest(%(workspaces)s::bigint[], %(jobs)s::bigint[]) as h(workspace_id, id)
), tie as materialized (
  select child_id, parent_id, batch_id, if_failed from job_edge where child_id = any(%(jobs)s::bigint[])
), edge as materialized (
  select t.child_id, t.parent_id, t.batch_id, t.if_failed, coalesce(p.state::text, b.state::text) as state,
    coalesce(p.state in ('completed', 'partial', 'failed', 'dead', 'cancelled'), b.finished_at is not null, true) as ended,
    coalesce(p.state in ('failed', 'dead', 'cancelled'), b.state = 'cancelled' and b.finished_at is not null, false) as lost
  from tie t
  left join (
    select id, state from job
    where workspace_id = any(%(workspaces)s::bigint[]) and id = any(array(select parent_id from tie where batch_id is null))
  ) p on p.id = t.parent_id
  left join (
    select id, state, finished_at from batch
    where workspace_id = any(%(workspaces)s::bigint[]) and id = any(array(select batch_id from tie where parent_id is null))
  ) b on b.id = t.batch_id
), falls(id, if_failed, parent_id, batch_id, how) as (
  select child_id, if_failed, parent_id, batch_id, state from edge where lost and if_failed <> 'run'
  union
  select e.child_id, e.if_failed, e.parent_id, null, case f.if_failed when 'fail' then 'failed' else 'cancelled' end
  from falls f join edge e on e.parent_id = f.id
  where e.if_failed <> 'run'
), fate as materialized (
  select distinct on (id) id, if_failed, parent_id, batch_id,
    'parent_failed: ' || case when batch_id is null then 'job ' || parent_id else 'batch ' || batch_id end
      || ' ended as ' || how as error
  from falls order by id, if_failed = 'fail' desc, parent_id, batch_id, how desc
), open as (
  select e.child_id as id, count(*) as n from edge e left join fate f on f.id = e.parent_id
  where not e.ended and f.id is null group by e.child_id
), judged as (
  select h.workspace_id, h.id, f.if_failed, f.parent_id, f.batch_id, f.error, coalesce(o.n, 0) as open
  from held h left join fate f on f.id = h.id left join open o on o.id = h.id
), moved as (
  update job j set
    state = (case when g.if_failed = 'fail' then 'failed' when g.if_failed = 'cancel' then 'cancelled'
      when g.open > 0 then 'waiting' when j.due_at > (select now from moment) then 'scheduled' else 'pending' end)::job_state,
    open_parents = case when g.if_failed is null and g.open > 0 then g.open end,
    due_at = case when g.open > 0 then j.due_at else greatest(j.due_at, (select now from moment)) end,
    rank = case when g.open > 0 then j.rank else job_rank(greatest(j.due_at, (select now from moment)), j.priority) end,
    finished_at = case when g.if_failed is not null then (select now from moment) end,
    error = coalesce(g.error, j.error)
  from judged g
  where j.workspace_id = g.workspace_id and j.id = g.id and j.state = 'waiting'
    and (g.if_failed is not null or j.open_parents is distinct from g.open)
    and j.workspace_id = any(%(workspaces)s::bigint[]) and j.id = any(%(jobs)s::bigint[])  -- by key, whatever statistics say
  returning j.workspace_id, j.id, j.queue, j.rank, j.state, g.parent_id, g.batch_id, g.error
), logged as (
  insert into event (workspace_id, type, job_id, data)
  select workspace_id, 'ready', id, null from moved where state in ('scheduled', 'pending')
  union all
  select workspace_id, state::text, id, jsonb_strip_nulls(jsonb_build_object(
    'code', split_part(error, ': ', 1), 'message', split_part(error, ': ', 2), 'parent', parent_id, 'batch', batch_id))
  from moved where state in ('failed', 'cancelled')
)
select id, state::text, queue, case when state = 'pending' then rank end as rank from moved where state <> 'waiting'

-- name: stranded
-- One page of the jobs that wait, each with whether nothing keeps it there any more. Ends move their successors on
-- in the same transaction, so no snapshot should ever see one.
with page as materialized (
  select workspace_id, id from job where state = 'waiting' and id > %(after)s order by id limit %(n)s
), edge as materialized (
  select e.child_id, e.if_failed,
    coalesce(p.state in ('completed', 'partial', 'failed', 'dead', 'cancelled'), b.finished_at is not null, true) as ended,
    coalesce(p.state in ('failed', 'dead', 'cancelled'), b.state = 'cancelled' and b.finished_at is not null, false) as lost
  from page g
  join job_edge e on e.workspace_id = g.workspace_id and e.child_id = g.id
  left join job p on p.workspace_id = e.workspace_id and p.id = e.parent_id
  left join batch b on b.workspace_id = e.workspace_id and b.id = e.batch_id
)
select g.workspace_id, g.id, bool_and(coalesce(e.ended, true)) or bool_or(coalesce(e.lost and e.if_failed <> 'run', false))
  as stranded
from page g left join edge e on e.child_id = g.id
group by g.workspace_id, g.id order by g.id

-- name: results_of_parents
-- What the parents of a job left, by the name of their step or else by id.
select coalesce(p.step, p.id::text) as name, r.body
from job_edge e
join job p on p.workspace_id = e.workspace_id and p.id = e.parent_id
left join result r on r.workspace_id = p.workspace_id and r.id = p.result_id
where e.workspace_id = current_workspace() and e.child_id = %(job)s
order by p.id
