-- name: list
-- All views, by list and name.
select id, list, name, query, version, created_by, created_at, updated_at from saved_view
where workspace_id = current_workspace() and (%(list)s::text is null or list = %(list)s) order by list, name, id

-- name: get
-- One view.
select id, list, name, query, version, created_by, created_at, updated_at from saved_view
where workspace_id = current_workspace() and id = %(id)s

-- name: room
-- Whether one more may be made; those who make one at the same time wait for each other.
select count(*) < %(most)s as some from (
  select from saved_view where workspace_id = current_workspace() for update) v

-- name: create
-- A new view, where no other of the list has its name.
insert into saved_view (workspace_id, list, name, query, created_by)
values (current_workspace(), %(list)s, %(name)s, %(query)s, %(by)s)
on conflict (workspace_id, list, name) do nothing
returning id, list, name, query, version, created_by, created_at, updated_at

-- name: hold
-- One view, which nobody changes until we commit.
select version, list from saved_view where workspace_id = current_workspace() and id = %(id)s for update

-- name: taken
-- Whether another view of the list has this name.
select from saved_view where workspace_id = current_workspace() and list = %(list)s and name = %(name)s and id <> %(id)s

-- name: change
-- What is saved in place of what was.
update saved_view set name = %(name)s, query = %(query)s, version = version + 1, updated_at = clock_timestamp()
where workspace_id = current_workspace() and id = %(id)s
returning id, list, name, query, version, created_by, created_at, updated_at

-- name: delete
-- No such view any more.
delete from saved_view where workspace_id = current_workspace() and id = %(id)s
