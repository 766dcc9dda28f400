-- name: shown
-- What is shown of an endpoint; it stands in the statements below at {shown}.
id, url, description, events, since, failing_since, disabled_at, disabled_why, created_at,
case when old_until > clock_timestamp() then old_until end as old_secret_until

-- name: create
-- A new endpoint; what happens from now on is told.
insert into webhook (workspace_id, url, description, events, salt)
values (current_workspace(), %(url)s, %(description)s, %(events)s, %(salt)s)
returning {shown}

-- name: begin_feed
-- Where nobody listened until now, what happened so far is passed over.
insert into webhook_feed as f (workspace_id, xid, event_id)
values (current_workspace(), pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1, 9223372036854775807)
on conflict (workspace_id) do update set xid = excluded.xid, event_id = excluded.event_id
where not exists (select from webhook where workspace_id = current_workspace() and disabled_at is null)

-- name: list
-- All endpoints, newest first.
select {shown} from webhook where workspace_id = current_workspace() order by id desc limit 1000

-- name: get
-- One endpoint.
select {shown} from webhook where workspace_id = current_workspace() and id = %(id)s

-- name: hold
-- One endpoint, held until what is done to it is written.
select id, salt, disabled_at, failing_since from webhook
where workspace_id = current_workspace() and id = %(id)s for update

-- name: change
-- Null leaves a thing as it is.
update webhook set url = coalesce(%(url)s, url), description = coalesce(%(description)s, description),
  events = coalesce(%(events)s::text[], events)
where workspace_id = current_workspace() and id = %(id)s

-- name: disable
-- It is told nothing any more.
update webhook set disabled_at = clock_timestamp(), disabled_why = %(why)s
where workspace_id = current_workspace() and id = %(id)s and disabled_at is null
returning id

-- name: shelve
-- What it was to be told waits until it listens again.
update webhook_delivery set due_at = 'infinity'
where workspace_id = current_workspace() and webhook_id = %(id)s and state = 'pending'

-- name: enable
-- It listens again.
update webhook set disabled_at = null, disabled_why = null, failing_since = null, since = clock_timestamp()
where workspace_id = current_workspace() and id = %(id)s and disabled_at is not null
returning id

-- name: unshelve
-- What it was to be told before it was disabled is due.
update webhook_delivery set due_at = clock_timestamp()
where workspace_id = current_workspace() and webhook_id = %(id)s and state = 'pending' and due_at = 'infinity'

-- name: remove
-- The endpoint with all that it was told.
delete from webhook where workspace_id = current_workspace() and id = %(id)s returning id

-- name: rotate
-- A new secret; the one that it had signs beside it for a while.
update webhook set salt = %(salt)s, old_salt = salt, old_until = clock_timestamp() + make_interval(secs => %(overlap_s)s)
where workspace_id = current_workspace() and id = %(id)s
returning {shown}

-- name: hash_key
-- The key that secrets are made of.
select hash_key from workspace where id = current_workspace()

-- name: listened_to
-- Workspaces with endpoints that listen.
select distinct workspace_id from webhook where disabled_at is null

-- name: due
-- Workspaces in which something is due; of what nothing is seen.
select distinct workspace_id from webhook_delivery where state = 'pending' and due_at <= (select clock_timestamp())

-- name: hold_feed
-- How far the events were looked through; where another is at it, it is left to that one.
select xid, event_id from webhook_feed where workspace_id = current_workspace() for update skip locked

-- name: move_feed
-- So far they were looked through now.
update webhook_feed set xid = %(xid)s, event_id = %(event)s where workspace_id = current_workspace()

-- name: listening
-- Who is told.
select id, events, since from webhook where workspace_id = current_workspace() and disabled_at is null

-- name: jobs
-- What is told of jobs beside the event.
select id, kind, tags, correlation_id, created_at, started_at, finished_at
from job where workspace_id = current_workspace() and id = any(%(jobs)s::bigint[])

-- name: batches
-- What is told of batches beside the event.
select id, kind, state::text, total, completed, partial, failed, cancelled, created_at, finished_at
from batch where workspace_id = current_workspace() and id = any(%(batches)s::bigint[])

-- name: deliver
-- What is to be told. Of a job's progress an endpoint hears once a second: until then the last word takes the place of
-- the one before it.
with given as materialized (
  select * from json_to_recordset(%(rows)s::json) as g(webhook_id bigint, event_id bigint, type text, job_id bigint,
    batch_id bigint, body text)
), replaced as (
  update webhook_delivery d set body = g.body, event_id = g.event_id from given g
  where d.workspace_id = current_workspace() and d.webhook_id = g.webhook_id and d.job_id = g.job_id
    and d.type = 'job.progress' and g.type = 'job.progress' and d.state = 'pending' and d.attempt = 0
  returning d.webhook_id, d.job_id
), replaced_of_batches as (
  update webhook_delivery d set body = g.body, event_id = g.event_id from given g
  where d.workspace_id = current_workspace() and d.webhook_id = g.webhook_id and d.batch_id = g.batch_id
    and d.type = 'batch.progress' and g.type = 'batch.progress' and d.state = 'pending' and d.attempt = 0
  returning d.webhook_id, d.batch_id
)
insert into webhook_delivery (workspace_id, webhook_id, event_id, type, job_id, batch_id, body, due_at)
select current_workspace(), g.webhook_id, g.event_id, g.type, g.job_id, g.batch_id, g.body,
  greatest(clock_timestamp(), case when g.type = 'job.progress' then (
    select max(d.due_at) + interval '1 second' from webhook_delivery d
    where d.workspace_id = current_workspace() and d.webhook_id = g.webhook_id and d.job_id = g.job_id
      and d.type = 'job.progress' and d.due_at < 'infinity') end)
from given g
where case g.type
  when 'job.progress' then not exists (select from replaced r where r.webhook_id = g.webhook_id and r.job_id = g.job_id)
  when 'batch.progress' then not exists (
    select from replaced_of_batches r where r.webhook_id = g.webhook_id and r.batch_id = g.batch_id)
  else true end
order by g.event_id
on conflict (workspace_id, webhook_id, event_id) do nothing

-- name: deliver_test
-- A word to try an endpoint with; also where it is disabled, which then says what is wrong.
insert into webhook_delivery (workspace_id, webhook_id, type, body)
select current_workspace(), id, 'webhook.test', %(body)s
from webhook where workspace_id = current_workspace() and id = %(id)s and disabled_at is null
returning id

-- name: claim
-- What is due, a few of each endpoint: one that hangs holds no more than its own few. Whoever claims it has it for a
-- while, and dies with it. Of one endpoint, where it is said which, else of those that failed last or of the others;
-- whose attempts are being counted by somebody else is passed over.
with moment as materialized (select clock_timestamp() as now),
asked as materialized (
  select w.id from webhook w
  where w.workspace_id = current_workspace() and w.disabled_at is null
    and case when %(webhook)s::bigint is null then (w.failing_since is not null) = %(failing)s else w.id = %(webhook)s end
  for no key update skip locked
), picked as materialized (
  select d.id from moment m, asked w
  cross join lateral (
    select count(*) as n from webhook_delivery d
    where d.workspace_id = current_workspace() and d.webhook_id = w.id and d.state = 'pending' and d.claimed_until > m.now) busy
  cross join lateral (
    select d.id, d.due_at from webhook_delivery d
    where d.workspace_id = current_workspace() and d.webhook_id = w.id and d.state = 'pending' and d.due_at <= m.now
      and (d.claimed_until is null or d.claimed_until <= m.now)
    order by d.due_at limit greatest(0, %(each)s - busy.n) for update skip locked) d
  order by d.due_at limit %(most)s
)
update webhook_delivery d set attempt = d.attempt + 1, claimed_until = m.now + make_interval(secs => %(lease_s)s)
from picked p, webhook w, moment m
where d.workspace_id = current_workspace() and d.id = p.id and w.workspace_id = d.workspace_id and w.id = d.webhook_id
returning d.id, d.webhook_id, d.round, d.attempt, d.type, d.body, w.url, w.salt,
  case when w.old_until > m.now then w.old_salt end as old_salt, w.failing_since is not null as failing

-- name: attempted
-- How one attempt ended.
insert into webhook_attempt (workspace_id, delivery_id, round, attempt, status, duration_ms, error, excerpt)
select current_workspace(), d.id, %(round)s, %(attempt)s, %(status)s, %(duration_ms)s, %(error)s, %(excerpt)s
from webhook_delivery d where d.workspace_id = current_workspace() and d.id = %(id)s
on conflict do nothing

-- name: settle
-- Taken, given up, or tried again in a while, of a disabled endpoint when it listens again; one that was replayed or
-- claimed anew meanwhile is another's.
update webhook_delivery d set state = %(state)s, claimed_until = null,
  due_at = case when %(state)s <> 'pending' then d.due_at when w.disabled_at is not null then 'infinity'
    else clock_timestamp() + make_interval(secs => %(wait_s)s) end,
  ended_at = case when %(state)s <> 'pending' then clock_timestamp() end
from webhook w
where d.workspace_id = current_workspace() and d.id = %(id)s and d.state = 'pending'
  and d.round = %(round)s and d.attempt = %(attempt)s and w.workspace_id = d.workspace_id and w.id = d.webhook_id
returning d.id

-- name: worked
-- It takes what it is told.
update webhook set failing_since = null
where workspace_id = current_workspace() and id = %(id)s and failing_since is not null

-- name: failed
-- It does not; whether that has lasted too long.
update webhook set failing_since = coalesce(failing_since, clock_timestamp())
where workspace_id = current_workspace() and id = %(id)s
returning failing_since < clock_timestamp() - make_interval(secs => %(patience_s)s) as too_long

-- name: deliveries
-- What an endpoint was told, newest first, with the attempts.
select d.id, d.type, d.job_id, d.batch_id, d.state, d.round, d.attempt, d.created_at, d.ended_at, d.body,
  case when d.state = 'pending' and d.due_at < 'infinity' then d.due_at end as next_attempt_at,
  coalesce(t.attempts, '[]') as attempts
from webhook_delivery d
left join lateral (
  select jsonb_agg(to_jsonb(a) - 'workspace_id' - 'delivery_id' order by a.round, a.attempt) as attempts
  from (select * from webhook_attempt a where a.workspace_id = current_workspace() and a.delivery_id = d.id
        order by a.round desc, a.attempt desc limit 50) a) t on true
where d.workspace_id = current_workspace() and d.webhook_id = %(id)s
  and d.id < coalesce(%(before)s::bigint, 9223372036854775807)
  and (%(state)s::text is null or d.state = %(state)s::text)
order by d.id desc limit %(n)s

-- name: replay
-- Tell it again, under the same id, as soon as it listens: what has ended, one or all that failed since a time.
update webhook_delivery d set state = 'pending', round = d.round + 1, attempt = 0, ended_at = null, claimed_until = null,
  due_at = case when w.disabled_at is null then clock_timestamp() else 'infinity' end
from webhook w
where d.workspace_id = current_workspace() and d.webhook_id = %(id)s and d.state <> 'pending'
  and w.workspace_id = d.workspace_id and w.id = d.webhook_id
  and (%(delivery)s::bigint is null or d.id = %(delivery)s::bigint)
  and (%(since)s::timestamptz is null or (d.state = 'failed' and d.created_at >= %(since)s::timestamptz))
returning d.id
