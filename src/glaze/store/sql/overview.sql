-- name: ended
-- Single jobs that ended, slot by slot of time. Of each slot the latest are read, up to a bound: then `oldest` tells since when.
select s.at, e.* from generate_series(%(begin)s::timestamptz, %(end)s::timestamptz - %(slot)s::interval, %(slot)s::interval) s(at)
cross join lateral (
  select count(*) as jobs, min(l.finished_at) as oldest,
    count(*) filter (where l.state = 'completed') as completed, count(*) filter (where l.state = 'partial') as partial,
    count(*) filter (where l.state = 'failed') as failed, count(*) filter (where l.state = 'dead') as dead,
    count(*) filter (where l.state = 'cancelled') as cancelled
  from (
    select j.state, j.finished_at from job j
    where j.workspace_id = current_workspace() and j.batch_id is null and j.finished_at is not null
      and j.finished_at >= s.at and j.finished_at < s.at + %(slot)s::interval
    order by j.finished_at desc limit %(most)s) l) e
order by s.at

-- name: spent
-- What the latest calls cost, slot by slot, rows of batches among them; `oldest` of the whole sample where it is full.
with latest as materialized (
  select c.created_at, c.state, c.price_micros from call c
  where c.workspace_id = current_workspace() order by c.id desc limit %(most)s
)
select date_bin(%(slot)s::interval, l.created_at, %(begin)s::timestamptz) as at, count(*) as calls,
  coalesce(sum(l.price_micros), 0)::bigint as settled_micros,
  (select case when count(*) = %(most)s then min(created_at) end from latest) as oldest
from latest l where l.created_at >= %(begin)s and l.created_at < %(end)s
group by 1 order by 1

-- name: committed
-- What calls under way and calls of unknown outcome may still cost.
select coalesce((select sum(u.reserved_micros) from (
    select c.reserved_micros from call c where c.workspace_id = current_workspace()
      and c.state in ('sending', 'pending_vendor') limit %(most)s) u), 0)::bigint as reserved_micros,
  coalesce(sum(n.reserved_micros), 0)::bigint as unknown_micros, count(*) as unknown_calls
from (select c.reserved_micros from call c where c.workspace_id = current_workspace() and c.state = 'unknown' limit %(most)s) n

-- name: waiting
-- For how long the oldest of the pending jobs has been due: of those that were made first, up to a bound.
select extract(epoch from clock_timestamp() - min(p.due_at))::float8 as oldest_s from (
  select j.due_at from job j where j.workspace_id = current_workspace() and j.batch_id is null and j.state = 'pending'
  order by j.id limit %(most)s) p where p.due_at <= clock_timestamp()

-- name: dead
-- Dead letters, counted up to a bound.
select count(*) as jobs from (
  select from job j where j.workspace_id = current_workspace() and j.state = 'dead' limit %(most)s) d

-- name: failing
-- Endpoints that are not reached, and those that were let go for it.
select id, url, failing_since, disabled_why as why from webhook
where workspace_id = current_workspace() and (failing_since is not null or disabled_why in ('gone', 'failing'))
order by id desc limit 20

-- name: paused
-- Queues that hand out nothing.
select name, paused_at from queue where paused_at is not null order by name limit 100
