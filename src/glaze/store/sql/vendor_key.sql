-- name: list
-- Which providers have a key of the workspace's own; never the key.
select provider, last_four, version, set_at from vendor_key order by provider

-- name: read
-- A key as it is kept, with the data key that opens it.
select k.sealed, k.version, d.wrapped, d.wrapped_by
from vendor_key k join data_key d on d.workspace_id = k.workspace_id
where k.workspace_id = current_workspace() and k.provider = %(provider)s

-- name: set
-- In place of the one before. A version is never given twice, also where a key was forgotten meanwhile.
insert into vendor_key as k (workspace_id, provider, sealed, last_four, version)
values (current_workspace(), %(provider)s, %(sealed)s, %(last_four)s, nextval('vendor_key_version'))
on conflict (workspace_id, provider) do update set
  sealed = excluded.sealed, last_four = excluded.last_four, version = excluded.version, set_at = clock_timestamp()
returning provider, last_four, version, set_at

-- name: forget
-- It is gone; backups have what is of no use without the key-encryption key.
delete from vendor_key where provider = %(provider)s
returning provider, last_four, version, set_at

-- name: data_key
-- The workspace's data key, wrapped.
select wrapped, wrapped_by from data_key

-- name: add_data_key
-- The first one stays.
insert into data_key (workspace_id, wrapped, wrapped_by)
values (current_workspace(), %(wrapped)s, %(wrapped_by)s) on conflict (workspace_id) do nothing

-- name: rewrap
-- By another key-encryption key, unless somebody did so meanwhile.
update data_key set wrapped = %(wrapped)s, wrapped_by = %(wrapped_by)s, wrapped_at = clock_timestamp()
where wrapped = %(before)s returning wrapped_at
