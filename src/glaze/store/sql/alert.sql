-- name: raise
-- Kinds of which more jobs died within an hour than their limit, once an hour each: whoever writes the moment tells.
with wanted as materialized (
  select kind, alert_after from json_to_recordset(%(limits)s::json) as w(kind text, alert_after int)
), many as materialized (
  select j.workspace_id, j.kind, w.alert_after, count(*) as dead,
         mode() within group (order by split_part(j.error, ': ', 1)) as code
  from job j join wanted w on w.kind = j.kind
  where j.state = 'dead' and j.finished_at > (select clock_timestamp() - interval '1 hour')
  group by j.workspace_id, j.kind, w.alert_after having count(*) >= w.alert_after
), raised as (
  insert into dead_alert as a (workspace_id, kind, raised_at)
  select workspace_id, kind, clock_timestamp() from many order by workspace_id, kind
  on conflict (workspace_id, kind) do update set raised_at = excluded.raised_at
    where a.raised_at <= excluded.raised_at - interval '1 hour'
  returning workspace_id, kind
), told as (
  select m.* from many m join raised r on r.workspace_id = m.workspace_id and r.kind = m.kind
), logged as (
  insert into event (workspace_id, type, data)
  select workspace_id, 'alert', jsonb_build_object('kind', kind, 'dead', dead, 'alert_after', alert_after, 'code', code)
  from told
)
select workspace_id, kind, dead, alert_after, code from told order by workspace_id, kind
