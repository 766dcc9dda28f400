-- name: append
-- What a running job says of itself.
insert into event (workspace_id, type, job_id, batch_id, data)
select current_workspace(), e.type, e.job_id, e.batch_id, e.data
from json_to_recordset(%(events)s::json) as e(type text, job_id bigint, batch_id bigint, data jsonb)

-- name: feed
-- Events after the cursor, in an order that no later commit can break: a lower id may commit after a
-- higher one, but below the oldest running transaction nothing is written any more.
select e.id, e.xid::text::bigint as xid, e.at, e.type, e.job_id, e.batch_id, e.data from event e
where e.workspace_id = current_workspace()
  and (e.xid, e.id) > (%(xid)s::text::xid8, %(id)s::bigint)
  and e.xid < pg_snapshot_xmin(pg_current_snapshot())
order by e.xid, e.id limit %(n)s

-- name: feeds
-- The same of many workspaces at once, without what the events say: one look for all who are told what changes.
select f.workspace_id, f.id, f.xid::text::bigint as xid, f.at, f.type, f.job_id, f.batch_id
from unnest(%(workspaces)s::bigint[], %(xids)s::text[], %(ids)s::bigint[]) as a(workspace_id, xid, id)
cross join lateral (
  select e.workspace_id, e.id, e.xid, e.at, e.type, e.job_id, e.batch_id from event e
  where e.workspace_id = a.workspace_id and (e.xid, e.id) > (a.xid::xid8, a.id) and e.xid < pg_snapshot_xmin(pg_current_snapshot())
  order by e.xid, e.id limit %(n)s) f
order by f.workspace_id, f.xid, f.id

-- name: tail
-- The cursor of a reader that wants only what comes from now on.
select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint) - 1 as xid

-- name: reach
-- How far back the feed goes, and where it ends now.
select (pg_snapshot_xmin(pg_current_snapshot())::text::bigint) - 1 as tail,
  h.xid::text::bigint as xid, h.id
from (select) one left join event_horizon h on h.workspace_id = current_workspace()

-- name: log
-- What happened to one job, in order.
select id, xid::text::bigint as xid, at, type, job_id, batch_id, data from event
where workspace_id = current_workspace() and job_id = %(job)s order by id
