-- name: register
-- A worker begins: its id is one half of the token of every job it claims.
insert into worker (name, version, queues, kinds, concurrency, host, pid, memory_bytes, lease_until)
values (%(name)s, %(version)s, %(queues)s, %(kinds)s, %(concurrency)s, %(host)s, %(pid)s, %(memory_bytes)s,
  clock_timestamp() + make_interval(secs => %(lease_s)s))
returning id

-- name: heartbeat
-- The lease goes on, unless somebody has taken the jobs back meanwhile; what it did so far, where it says so.
update worker set lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s),
  memory_bytes = coalesce(%(memory_bytes)s, memory_bytes), done = coalesce(%(done)s, done),
  failed = coalesce(%(failed)s, failed)
where id = %(worker)s and stopped_at is null
returning drain_at is not null as draining

-- name: drain
-- Asked to claim no more and to end; told at once, and at the next heartbeat should nobody listen.
with asked as (
  update worker set drain_at = coalesce(drain_at, clock_timestamp())
  where id = any(%(workers)s::bigint[]) and stopped_at is null
  returning id
)
select id, pg_notify('glaze_drain', id::text) from asked order by id

-- name: stop
-- A clean end, with the last totals.
update worker set stopped_at = clock_timestamp(), done = coalesce(%(done)s, done), failed = coalesce(%(failed)s, failed)
where id = %(worker)s and stopped_at is null

-- name: bury
-- Whose lease has passed is stopped for good, before any of its jobs is touched.
update worker set stopped_at = clock_timestamp()
where id = any(array(
  select id from worker where stopped_at is null and lease_until < (select clock_timestamp())
  order by id for update skip locked))
returning id, name

-- name: registry
-- Workers that live, with what they hold now: how many jobs, and which were begun first.
select w.id, w.name, w.version, w.queues, w.kinds, w.concurrency, w.host, w.pid, w.memory_bytes, w.done, w.failed,
       w.started_at, w.lease_until, w.drain_at,
       extract(epoch from w.lease_until - clock_timestamp())::float8 as lease_left_s,
       (select count(*) from job j where j.worker_id = w.id and j.state = 'processing') as jobs,
       array(select j.id from job j where j.worker_id = w.id and j.state = 'processing'
             order by j.started_at, j.id limit 20) as job_ids,
       (select extract(epoch from clock_timestamp() - min(j.started_at))::float8 from job j
        where j.worker_id = w.id and j.state = 'processing') as oldest_job_s
from worker w where w.stopped_at is null order by w.id
