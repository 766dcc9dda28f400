-- name: by_index
-- Each count has its index; a table without statistics yet must not make it read all that is there.
set local enable_seqscan = off

-- name: backlog
-- Jobs of some queues that are not at their end, each count no further than a bound: what is counted costs time.
with moving as materialized (
  select queue, kind from job where state = 'processing' limit %(most)s
), later as materialized (
  select queue, kind from job where state = 'scheduled' order by due_at limit %(most)s
)
select q.name as queue,
  exists (select from queue p where p.name = q.name and p.paused_at is not null) as paused,
  (select count(*) from (
    select from job j where j.queue = q.name and j.state = 'pending' and j.deaths < 2
      and (%(kinds)s::text[] is null or j.kind = any(%(kinds)s::text[])) limit %(most)s) due)
  + (select count(*) from (
    select from job j where j.queue = q.name and j.state = 'pending' and j.deaths >= 2
      and (%(kinds)s::text[] is null or j.kind = any(%(kinds)s::text[])) limit %(most)s) suspect) as pending,
  (select count(*) from moving m where m.queue = q.name
      and (%(kinds)s::text[] is null or m.kind = any(%(kinds)s::text[]))) as processing,
  (select count(*) from later l where l.queue = q.name
      and (%(kinds)s::text[] is null or l.kind = any(%(kinds)s::text[]))) as scheduled
from unnest(%(queues)s::text[]) q(name)
order by q.name


-- name: circuits
-- Where each circuit stands.
select provider, base_url,
  case when open_until is null then 'closed' when open_until > clock_timestamp() then 'open' else 'half-open' end as state
from circuit order by provider, base_url
