-- name: pause
-- No claim from this queue until it is resumed.
insert into queue (name, paused_at) values (%(queue)s, clock_timestamp())
on conflict (name) do update set paused_at = coalesce(queue.paused_at, excluded.paused_at)

-- name: resume
-- Claims go on.
update queue set paused_at = null where name = %(queue)s

-- name: depths
-- Every queue that holds jobs or is paused. Each state has an index of its own, so the many jobs at their end are
-- not read; what waits is found by the edge that it waits for.
with depth as (
  select queue, state, count(*) as jobs, min(due_at) as since from job where state = 'pending' and deaths < 2 group by 1, 2
  union all
  select queue, state, count(*), min(due_at) from job where state = 'pending' and deaths >= 2 group by 1, 2
  union all
  select queue, state, count(*), null from job where state = 'scheduled' group by 1, 2
  union all
  select queue, state, count(*), null from job where state = 'processing' group by 1, 2
  union all
  select j.queue, j.state, count(*), null
  from (select distinct workspace_id, child_id from job_edge) e
  join job j on j.workspace_id = e.workspace_id and j.id = e.child_id
  where j.state = 'waiting' group by 1, 2
), told as (
select coalesce(d.queue, q.name) as name, q.paused_at,
  coalesce(sum(d.jobs) filter (where d.state = 'waiting'), 0)::int as waiting,
  coalesce(sum(d.jobs) filter (where d.state = 'scheduled'), 0)::int as scheduled,
  coalesce(sum(d.jobs) filter (where d.state = 'pending'), 0)::int as pending,
  coalesce(sum(d.jobs) filter (where d.state = 'processing'), 0)::int as processing,
  extract(epoch from clock_timestamp() - min(d.since))::float8 as oldest_s
from depth d full join (select name, paused_at from queue where paused_at is not null) q on q.name = d.queue
group by 1, 2
)
select told.*, (select count(*) from (select from job e where e.queue = told.name and e.finished_at is not null
  and e.finished_at >= clock_timestamp() - interval '1 minute' limit 10000) ended)::int as ended_per_min
from told order by name
