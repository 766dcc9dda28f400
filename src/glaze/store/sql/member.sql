-- name: list
-- All members, also those who left, oldest first.
select id, email, role, created_at, last_login_at, disabled_at from member order by id

-- name: find
-- Who signs in by this address.
select id, role, password from member where email = %(email)s and disabled_at is null

-- name: get
-- A member who is there, to be changed.
select id, email, role, password from member where id = %(id)s and disabled_at is null for update

-- name: add
-- A new member; who left comes back with the same id.
insert into member as m (workspace_id, email, role, password)
values (current_workspace(), %(email)s, %(role)s, %(password)s)
on conflict (workspace_id, email) do update
set role = excluded.role, password = excluded.password, disabled_at = null where m.disabled_at is not null
returning id, email, role, created_at, last_login_at, disabled_at

-- name: set_role
-- What a member may do from now on.
update member set role = %(role)s where id = %(id)s
returning id, email, role, created_at, last_login_at, disabled_at

-- name: set_password
-- Another password.
update member set password = %(password)s where id = %(id)s

-- name: disable
-- A member leaves.
update member set disabled_at = clock_timestamp() where id = %(id)s
returning id, email, role, created_at, last_login_at, disabled_at

-- name: take_back_keys
-- The keys that an actor made count no more, and those that these made: whoever drew one may have kept it.
with recursive made (actor) as (
  select %(actor)s::text
  union
  select 'key ' || case a.action when 'api_key.create' then substr(a.target, 5) else a.detail ->> 'replaced_by' end
  from audit a join made m on m.actor = a.actor where a.action in ('api_key.create', 'api_key.rotate')
)
update api_key set revoked_at = clock_timestamp()
where revoked_at is null and (expires_at is null or expires_at > clock_timestamp())
  and 'key ' || id in (select actor from made)
returning id

-- name: take_back_invitations
-- Those that an actor, or a key that the actor made, sent last to an address count no more.
with recursive made (actor) as (
  select %(actor)s::text
  union
  select 'key ' || case a.action when 'api_key.create' then substr(a.target, 5) else a.detail ->> 'replaced_by' end
  from audit a join made m on m.actor = a.actor where a.action in ('api_key.create', 'api_key.rotate')
), sent as (
  select distinct on (target) target, actor from audit where action = 'invitation.create' order by target, id desc
)
delete from invitation i using sent s
where s.target = 'invitation ' || i.id and s.actor in (select actor from made)
returning i.id

-- name: hold_owners
-- Those of whom one must stay, in the order in which they are held.
select id from member where role = 'owner' and disabled_at is null order by id for update

-- name: some
-- Whether anybody can sign in.
select exists (select from member where disabled_at is null) as some

-- name: end_sessions
-- A member is signed out everywhere, but for one session where it is named.
delete from session where member_id = %(id)s and (%(but)s::bytea is null or digest <> %(but)s::bytea)

-- name: forget_expired
-- Sessions that count no more.
delete from session where expires_at < clock_timestamp()

-- name: begin
-- A member is signed in.
with noted as (update member set last_login_at = clock_timestamp() where id = %(member)s)
insert into session (workspace_id, member_id, digest, expires_at)
values (current_workspace(), %(member)s, %(digest)s, clock_timestamp() + make_interval(secs => %(lasts_s)s))
returning expires_at

-- name: session
-- The session that counts now, and its member. It is noted at most once a minute that it was used.
with found as (
  select s.id, s.member_id, m.role, s.expires_at, s.seen_at from session s
  join member m on m.workspace_id = s.workspace_id and m.id = s.member_id
  where s.workspace_id = current_workspace() and s.digest = %(digest)s and m.disabled_at is null
    and s.expires_at > clock_timestamp() and s.seen_at > clock_timestamp() - make_interval(secs => %(idle_s)s)
), noted as (
  update session s set seen_at = clock_timestamp() from found f
  where s.workspace_id = current_workspace() and s.id = f.id and f.seen_at < clock_timestamp() - interval '1 minute'
)
select id, member_id, role, extract(epoch from expires_at - clock_timestamp())::float8 as left_s from found

-- name: end
-- This session is over.
delete from session where digest = %(digest)s returning member_id

-- name: invite
-- A new invitation, in place of an earlier one to the same address.
insert into invitation (workspace_id, email, role, digest, expires_at)
values (current_workspace(), %(email)s, %(role)s, %(digest)s, clock_timestamp() + make_interval(secs => %(lasts_s)s))
on conflict (workspace_id, email) do update set role = excluded.role, digest = excluded.digest,
  created_at = clock_timestamp(), expires_at = excluded.expires_at
returning id, email, role, created_at, expires_at

-- name: invitations
-- Those that can still be accepted, newest first.
select id, email, role, created_at, expires_at from invitation where expires_at > clock_timestamp() order by id desc

-- name: accept
-- It counts once.
delete from invitation where digest = %(digest)s and expires_at > clock_timestamp() returning email, role

-- name: withdraw
-- It counts no more.
delete from invitation where id = %(id)s returning id

-- name: attempt
-- One more try. Where the time is over it begins anew.
insert into login_attempt as a (workspace_id, subject, attempts, until)
values (current_workspace(), %(subject)s, 1, clock_timestamp() + make_interval(secs => %(window_s)s))
on conflict (workspace_id, subject) do update set
  attempts = case when a.until < clock_timestamp() then 1 else a.attempts + 1 end,
  until = case when a.until < clock_timestamp() then excluded.until else a.until end
returning attempts, extract(epoch from until - clock_timestamp())::float8 as left_s

-- name: forget_attempts
-- Who got in begins anew; so do those whose time is over.
delete from login_attempt where subject = %(subject)s or until < clock_timestamp()
