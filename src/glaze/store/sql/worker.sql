-- name: register
-- A worker begins: its id is one half of the token of every job it claims.
insert into worker (name, version, queues, lease_until)
values (%(name)s, %(version)s, %(queues)s, clock_timestamp() + make_interval(secs => %(lease_s)s))
returning id

-- name: heartbeat
-- The lease goes on, unless somebody has taken the jobs back meanwhile.
update worker set lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
where id = %(worker)s and stopped_at is null
returning id

-- name: stop
-- A clean end.
update worker set stopped_at = clock_timestamp() where id = %(worker)s and stopped_at is null

-- name: bury
-- Whose lease has passed is stopped for good, before any of its jobs is touched.
update worker set stopped_at = clock_timestamp()
where id = any(array(
  select id from worker where stopped_at is null and lease_until < (select clock_timestamp())
  order by id for update skip locked))
returning id, name

-- name: registry
-- Workers that live, with what they hold now.
select w.id, w.name, w.version, w.queues, w.started_at, w.lease_until,
       (select count(*) from job j where j.worker_id = w.id and j.state = 'processing') as jobs
from worker w where w.stopped_at is null order by w.id

-- name: pause_queue
-- No claim from this queue until it is resumed.
insert into queue (name, paused_at) values (%(queue)s, clock_timestamp())
on conflict (name) do update set paused_at = coalesce(queue.paused_at, excluded.paused_at)

-- name: resume_queue
-- Claims go on.
update queue set paused_at = null where name = %(queue)s
