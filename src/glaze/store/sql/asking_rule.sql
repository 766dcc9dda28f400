-- name: all
-- A workspace's rules.
select kind, field, ask_first, floor, providers from asking_rule
where workspace_id = current_workspace() order by kind, field

-- name: put
-- A rule, in place of the one about the same kind and field.
insert into asking_rule (workspace_id, kind, field, ask_first, floor, providers)
values (current_workspace(), %(kind)s, %(field)s, %(order)s, %(floor)s, %(providers)s)
on conflict (workspace_id, kind, field) do update
  set ask_first = excluded.ask_first, floor = excluded.floor, providers = excluded.providers, set_at = clock_timestamp()

-- name: remove
-- No such rule any more.
delete from asking_rule where workspace_id = current_workspace() and kind = %(kind)s and field = %(field)s returning kind
