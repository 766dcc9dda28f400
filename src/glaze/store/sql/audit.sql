-- name: note
-- Who did what to what.
insert into audit (workspace_id, actor, action, target, detail)
values (current_workspace(), %(actor)s, %(action)s, %(target)s, %(detail)s)

-- name: page
-- The newest first, below an id.
select id, at, actor, action, target, detail from audit
where %(before)s::bigint is null or id < %(before)s::bigint
order by id desc limit %(n)s
