-- name: create
-- A new workspace; none where the name is taken.
insert into workspace (name) values (%(name)s) on conflict (name) do nothing
returning id, name, created_at

-- name: list
-- All of them, oldest first.
select id, name, created_at from workspace order by id

-- name: find
-- The one of this name.
select id, name, created_at from workspace where name = %(name)s
