-- name: workspaces
-- Whose rows are looked through, one workspace after the other.
select id from workspace order by id

-- name: in_index_order
-- Pages are read along an index, not sorted out of a whole table, whatever statistics say.
set local enable_sort = off

-- name: events
-- One page of the job log and the feed, in the order of their index; what is old in it goes, and where
-- the feed begins from then on is noted. What another holds is passed over. `last` is where the next page begins, null when the rest is younger.
with page as materialized (
  select ctid as place, xid, id, at from event
  where workspace_id = current_workspace()
    and (xid, id) > (split_part(%(after)s, '-', 1)::xid8, split_part(%(after)s, '-', 2)::bigint)
  order by xid, id limit %(n)s for update skip locked
), gone as (
  delete from event where ctid = any(array(
    select place from page where at < clock_timestamp() - make_interval(secs => %(age_s)s)))
  returning xid, id
), noted as (
  insert into event_horizon (workspace_id, xid, id)
  select current_workspace(), xid, id from gone order by xid desc, id desc limit 1
  on conflict (workspace_id) do update set xid = excluded.xid, id = excluded.id
  where (event_horizon.xid, event_horizon.id) < (excluded.xid, excluded.id)
)
select (select count(*) from gone) as gone,
  (select xid::text || '-' || id from page where at < clock_timestamp() - make_interval(secs => %(age_s)s)
   order by xid desc, id desc limit 1) as last

-- name: jobs
-- One page of jobs by id; those at their end for long go with arguments (by the key that points here), result and
-- what tied others to them. One stays while a successor that has not ended may want its result.
with page as materialized (
  select id, created_at from job
  where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), old as materialized (
  select j.id, j.result_id from job j
  where j.workspace_id = current_workspace() and j.id = any(array(select id from page))
    and j.finished_at < clock_timestamp() - make_interval(secs => %(age_s)s) and j.batch_id is null
    and not exists (
      select from job_edge e join job c on c.workspace_id = e.workspace_id and c.id = e.child_id
      where e.parent_id = j.id and c.finished_at is null)
  order by j.id for update of j skip locked
), gone as (
  delete from job j where j.workspace_id = current_workspace() and j.id = any(array(select id from old)) returning 1
), edges as (
  delete from job_edge where parent_id = any(array(select id from old))
), results as (
  delete from result where workspace_id = current_workspace()
    and id = any(array(select result_id from old where result_id is not null))
)
select (select count(*) from gone) as gone,
  (select max(id)::text from page
   having min(created_at) < clock_timestamp() - make_interval(secs => %(age_s)s) and count(*) = %(n)s) as last

-- name: workflows
-- One page of workflows of which no job is left.
with page as materialized (
  select id, created_at from workflow
  where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), gone as (
  delete from workflow w where w.id = any(array(
    select o.id from workflow o
    where o.workspace_id = current_workspace() and o.id = any(array(select id from page))
      and o.created_at < clock_timestamp() - make_interval(secs => %(age_s)s)
      and not exists (select from job j where j.workflow_id = o.id)
    order by o.id for update skip locked))
  returning 1
)
select (select count(*) from gone) as gone, (select max(id)::text from page having count(*) = %(n)s) as last

-- name: old_batch
-- The next batch at its end for long, held against being opened again; one that somebody still waits for stays. So goes
-- one of a request that broke off a day ago while its rows were read.
select b.id from batch b
where b.workspace_id = current_workspace() and b.id >= %(batch)s
  and (b.finished_at < clock_timestamp() - make_interval(secs => %(age_s)s)
    or b.state = 'loading' and b.request_key is not null and b.created_at < clock_timestamp() - interval '1 day')
  and not exists (
    select from job_edge e join job c on c.workspace_id = e.workspace_id and c.id = e.child_id
    where e.batch_id = b.id and c.finished_at is null)
order by b.id limit 1 for update of b skip locked

-- name: batch_rows
-- One page of its rows, with their results.
with page as materialized (
  select row_no, result_id from batch_row
  where workspace_id = current_workspace() and batch_id = %(batch)s and row_no > %(row)s
  order by row_no limit %(n)s
), gone as (
  delete from batch_row where workspace_id = current_workspace() and batch_id = %(batch)s
    and row_no = any(array(select row_no from page))
  returning 1
), results as (
  delete from result where workspace_id = current_workspace()
    and id = any(array(select result_id from page where result_id is not null))
)
select (select count(*) from gone) as gone, (select max(row_no) from page) as last

-- name: batch
-- The batch, empty by now. What it handed over for a search stays known: that is not given back.
with served as (
  update search s set served = greatest(s.served, case s.about when 'companies' then b.total else b.completed + b.partial end)
  from batch b
  where b.workspace_id = current_workspace() and b.id = %(batch)s and s.workspace_id = b.workspace_id and s.job_id = b.job_id
), gone as (
  delete from batch where workspace_id = current_workspace() and id = %(batch)s returning id
), edges as (
  delete from job_edge where batch_id = %(batch)s
)
select count(*) as gone from gone

-- name: keys
-- One page of idempotency keys by name; those that expired long ago go.
with page as materialized (
  select key from idempotency_key
  where workspace_id = current_workspace() and key > %(after)s order by key limit %(n)s
), gone as (
  delete from idempotency_key k where k.workspace_id = current_workspace() and k.key = any(array(
    select o.key from idempotency_key o
    where o.workspace_id = current_workspace() and o.key = any(array(select key from page))
      and o.expires_at < clock_timestamp() - make_interval(secs => %(age_s)s)
    order by o.key for update skip locked))
  returning 1
)
select (select count(*) from gone) as gone, (select max(key) from page having count(*) = %(n)s) as last

-- name: deliveries
-- One page of deliveries of webhooks that ended long ago, with their attempts (by the key that points here).
with page as materialized (
  select id, ended_at from webhook_delivery
  where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), gone as (
  delete from webhook_delivery where workspace_id = current_workspace() and id = any(array(
    select id from page where ended_at < clock_timestamp() - make_interval(secs => %(age_s)s)))
  returning 1
)
select (select count(*) from gone) as gone, (select max(id)::text from page having count(*) = %(n)s) as last

-- name: answers
-- One page of raw answers, by call; those of calls that ended long ago go. What they stated stays.
with page as materialized (
  select call_id from answer where workspace_id = current_workspace() and call_id > %(after)s::bigint order by call_id limit %(n)s
), gone as (
  delete from answer where workspace_id = current_workspace() and call_id = any(array(
    select c.id from call c where c.workspace_id = current_workspace() and c.id = any(array(select call_id from page))
      and c.settled_at < clock_timestamp() - make_interval(secs => %(age_s)s)))
  returning 1
)
select (select count(*) from gone) as gone, (select max(call_id)::text from page having count(*) = %(n)s) as last

-- name: results
-- One page of results, those written long ago; what jobs and rows know of them is that they are gone.
with page as materialized (
  select id, created_at from result where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), gone as (
  delete from result where workspace_id = current_workspace() and id = any(array(
    select id from page where created_at < clock_timestamp() - make_interval(secs => %(age_s)s)))
  returning 1
)
select (select count(*) from gone) as gone, (select max(id)::text from page having count(*) = %(n)s) as last

-- name: logs
-- One page of what jobs logged, in the order of the feed; lines are no part of it, so where it begins stays.
with page as materialized (
  select ctid as place, xid, id, at, type from event
  where workspace_id = current_workspace()
    and (xid, id) > (split_part(%(after)s, '-', 1)::xid8, split_part(%(after)s, '-', 2)::bigint)
  order by xid, id limit %(n)s for update skip locked
), gone as (
  delete from event where ctid = any(array(
    select place from page where type = 'log' and at < clock_timestamp() - make_interval(secs => %(age_s)s)))
  returning 1
)
select (select count(*) from gone) as gone,
  (select xid::text || '-' || id from page where at < clock_timestamp() - make_interval(secs => %(age_s)s)
   order by xid desc, id desc limit 1) as last

-- name: workers
-- Workers that stopped long ago; jobs that one of them held were taken back when it did.
with gone as (
  delete from worker where id = any(array(
    select w.id from worker w
    where w.stopped_at < clock_timestamp() - make_interval(secs => %(age_s)s)
      and not exists (select from job j where j.worker_id = w.id and j.state = 'processing')
    order by w.id limit %(n)s for update of w skip locked))
  returning id
)
select count(*) as gone, case when count(*) = %(n)s then max(id)::text end as last from gone
