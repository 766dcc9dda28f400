-- name: all
-- A workspace's times.
select field, days from fresh_time where workspace_id = current_workspace() order by field

-- name: put
-- A time, in place of the one of the same field.
insert into fresh_time (workspace_id, field, days) values (current_workspace(), %(field)s, %(days)s)
on conflict (workspace_id, field) do update set days = excluded.days, set_at = clock_timestamp()

-- name: remove
-- No such time any more.
delete from fresh_time where workspace_id = current_workspace() and field = %(field)s returning field
