-- name: open
-- How many jobs have not ended, by state, each counted up to a bound.
select 'waiting' as state, count(*) as jobs from (select from job j where j.workspace_id = current_workspace()
  and j.batch_id is null and j.state = 'waiting' limit %(most)s) w
union all
select 'scheduled', count(*) from (select from job j where j.workspace_id = current_workspace()
  and j.batch_id is null and j.state = 'scheduled' limit %(most)s) s
union all
select 'pending', count(*) from (select from job j where j.workspace_id = current_workspace()
  and j.batch_id is null and j.state = 'pending' limit %(most)s) p
union all
select 'processing', count(*) from (select from job j where j.workspace_id = current_workspace()
  and j.batch_id is null and j.state = 'processing' limit %(most)s) r

-- name: ended
-- How many have ended since then, counted up to a bound.
select count(*) as jobs from (
  select from job j where j.workspace_id = current_workspace() and j.batch_id is null and j.finished_at is not null
    and j.finished_at >= %(since)s order by j.finished_at desc limit %(most)s) e

-- name: latest
-- What the latest of them came to, with what they asked.
with latest as materialized (
  select j.id, j.kind, j.state, j.started_at, j.finished_at from job j
  where j.workspace_id = current_workspace() and j.batch_id is null and j.finished_at is not null and j.finished_at >= %(since)s
  order by j.finished_at desc limit %(sample)s
), told as (
  select l.*, extract(epoch from l.finished_at - l.started_at)::float8 as seconds, c.calls, c.micros, c.inferences
  from latest l cross join lateral (
    select count(*) as calls, coalesce(sum(c.price_micros), 0)::bigint as micros,
      count(*) filter (where q.provider = any(%(inference)s::text[])) as inferences
    from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
    where c.workspace_id = current_workspace() and c.job_id = l.id) c
)
select count(*) as jobs, extract(epoch from clock_timestamp() - min(finished_at))::float8 as over_s,
  count(*) filter (where state = 'completed') as completed, count(*) filter (where state = 'partial') as partial,
  count(*) filter (where state = 'failed') as failed, count(*) filter (where state = 'dead') as dead,
  count(*) filter (where state = 'cancelled') as cancelled,
  count(*) filter (where kind = %(enrich)s and state in ('completed', 'partial')) as answered,
  count(*) filter (where kind = %(enrich)s and state in ('completed', 'partial') and calls = 0) as from_cache,
  count(*) filter (where inferences > 0) as with_inference,
  coalesce(sum(micros), 0)::bigint as cost_micros,
  percentile_cont(0.5) within group (order by seconds) as p50_s, percentile_cont(0.95) within group (order by seconds) as p95_s
from told

-- name: providers
-- How the latest settled calls fared, those for rows of batches, too.
with latest as materialized (
  select c.question_id, c.verdict, c.price_micros, c.settled_at - c.created_at as took from call c
  where c.workspace_id = current_workspace() and c.state = 'settled' and c.created_at >= %(since)s
  order by c.id desc limit %(sample)s
)
select q.provider, count(*) as calls, count(*) filter (where l.verdict = 'match') as matches,
  coalesce(sum(l.price_micros), 0)::bigint as cost_micros,
  percentile_cont(0.5) within group (order by extract(epoch from l.took)::float8) as p50_s
from latest l join question q on q.workspace_id = current_workspace() and q.id = l.question_id
group by q.provider order by q.provider

-- name: rows
-- Rows of the latest batches that are open, or were made since then.
select coalesce(sum(queued), 0)::bigint as queued, coalesce(sum(completed), 0)::bigint as completed, coalesce(sum(partial), 0)::bigint as partial,
  coalesce(sum(failed), 0)::bigint as failed, coalesce(sum(cancelled), 0)::bigint as cancelled, coalesce(sum(total), 0)::bigint as total
from (
  select b.* from batch b where b.workspace_id = current_workspace() and (b.finished_at is null or b.created_at >= %(since)s)
  order by b.id desc limit %(sample)s) b
