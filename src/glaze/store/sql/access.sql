-- name: create
-- A new key; what replaces it is said when it is rotated.
insert into api_key (workspace_id, name, prefix, digest, scopes, expires_at)
values (current_workspace(), %(name)s, %(prefix)s, %(digest)s, %(scopes)s, %(expires_at)s)
returning id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at, replaced_by

-- name: list
-- All keys that were not forgotten, newest first.
select id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at, replaced_by
from api_key order by id desc

-- name: find
-- The key with this prefix, if it counts now. It is noted at most once a minute that it was used.
with found as (
  select id, digest, scopes, last_used_at from api_key
  where prefix = %(prefix)s and revoked_at is null and (expires_at is null or expires_at > clock_timestamp())
), noted as (
  update api_key k set last_used_at = clock_timestamp() from found f
  where k.id = f.id and f.digest = %(digest)s
    and (f.last_used_at is null or f.last_used_at < clock_timestamp() - interval '1 minute')
)
select id, digest, scopes from found

-- name: revoke
-- It counts no more. One that does not already is left as it is.
update api_key set revoked_at = clock_timestamp()
where id = %(id)s and revoked_at is null
returning id, name, prefix, scopes, created_at, expires_at, last_used_at, revoked_at, replaced_by

-- name: hold
-- A key that is to be rotated, and until when its successor counts: for as long as it did from its making. One that
-- was rotated before ends early: its successor has its lifetime.
select k.id, k.name, k.scopes, k.replaced_by, s.revoked_at as successor_revoked_at,
  clock_timestamp() + case when s.id is null then k.expires_at - k.created_at else s.expires_at - s.created_at end as next_expiry
from api_key k left join api_key s on s.workspace_id = k.workspace_id and s.id = k.replaced_by
where k.id = %(id)s and k.revoked_at is null and (k.expires_at is null or k.expires_at > clock_timestamp())
for update of k

-- name: take_back
-- A successor that nobody has used or replaced counts no more.
update api_key set revoked_at = clock_timestamp()
where id = %(id)s and revoked_at is null and last_used_at is null and replaced_by is null
returning id

-- name: replace
-- The old one counts for a while beside the new one.
update api_key set replaced_by = %(new)s,
  expires_at = least(expires_at, clock_timestamp() + make_interval(secs => %(overlap_s)s))
where id = %(id)s

-- name: some
-- Whether any key counts now.
select exists (
  select from api_key where revoked_at is null and (expires_at is null or expires_at > clock_timestamp())
) as some

-- name: signing
-- What read tokens are signed with, and whether the key counts that made one, or the session of the member who did
-- (null: not a key, no member); and what
-- these may do now.
select w.hash_key, (%(key)s::bigint is null or exists (
  select from api_key k where k.id = %(key)s and k.revoked_at is null
    and (k.expires_at is null or k.expires_at > clock_timestamp())
)) and (%(user)s::bigint is null or exists (
  select from member m join session s on s.member_id = m.id
  where m.id = %(user)s and m.disabled_at is null and s.id = %(session)s and s.expires_at > clock_timestamp()
)) as counts,
  coalesce((select k.scopes from api_key k where k.id = %(key)s), '{}') as scopes,
  (select m.role from member m where m.id = %(user)s) as role
from workspace w where w.id = current_workspace()
