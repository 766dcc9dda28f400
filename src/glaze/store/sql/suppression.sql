-- name: any
-- The workspace's key for HMACs, where anybody is suppressed at all.
select hash_key from workspace
where id = current_workspace() and exists (select from suppression where workspace_id = current_workspace())

-- name: which
-- Which of these are suppressed.
select key_hash from suppression where workspace_id = current_workspace() and key_hash = any(%(keys)s)

-- name: hash_key
-- The workspace's key for HMACs.
select hash_key from workspace where id = current_workspace()

-- name: add
-- From here on nothing is bought or kept about who has these keys; those of one person belong together.
insert into suppression (workspace_id, key_hash, person)
select current_workspace(), k, coalesce(
  (select s.person from suppression s
   where s.workspace_id = current_workspace() and s.key_hash = any(%(keys)s) and s.person is not null limit 1),
  %(person)s)
from unnest(%(keys)s::bytea[]) as k order by k
on conflict (workspace_id, key_hash) do nothing
returning key_hash

-- name: remove
-- All keys of everybody who has one of these.
delete from suppression where workspace_id = current_workspace() and (key_hash = any(%(keys)s) or person in (
  select person from suppression where workspace_id = current_workspace() and key_hash = any(%(keys)s)))
returning key_hash
