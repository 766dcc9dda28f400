-- name: create
-- A search, not yet looked for; no row where the same request made one.
insert into search (workspace_id, about, criteria, fields, most, created_by, request_key, request_hash)
values (current_workspace(), %(about)s, %(criteria)s, %(fields)s, %(most)s, %(by)s, %(key)s, %(hash)s)
on conflict (workspace_id, request_key) where request_key is not null do nothing returning id

-- name: of_request
-- The search that a request with this key made, and what was asked.
select id, request_hash from search where workspace_id = current_workspace() and request_key = %(key)s

-- name: get
-- One search. Whose job ended without having said so has failed.
select s.id, case when s.state in ('draft', 'paid', 'enriching') and (j.id is null or j.state in ('failed', 'dead', 'cancelled')) then 'failed' else s.state end as state,
  s.about, s.criteria, s.fields, s.most, s.contacts, s.found, s.price_cents, s.paid_cents, s.paid_by, s.returned_cents, s.spent_micros, s.refunded_at, s.job_id,
  coalesce(s.error, case when j.state in ('failed', 'dead', 'cancelled') then coalesce(j.error, j.state::text) end) as error,
  s.created_by, s.created_at, s.paid_at, s.ended_at
from search s left join job j on j.workspace_id = s.workspace_id and j.id = s.job_id
where s.workspace_id = current_workspace() and s.id = %(search)s

-- name: page
-- Searches, the newest first.
select s.id, case when s.state in ('draft', 'paid', 'enriching') and (j.id is null or j.state in ('failed', 'dead', 'cancelled')) then 'failed' else s.state end as state,
  s.about, s.criteria, s.fields, s.most, s.contacts, s.found, s.price_cents, s.paid_cents, s.paid_by, s.returned_cents, s.spent_micros, s.refunded_at, s.job_id,
  coalesce(s.error, case when j.state in ('failed', 'dead', 'cancelled') then coalesce(j.error, j.state::text) end) as error,
  s.created_by, s.created_at, s.paid_at, s.ended_at
from search s left join job j on j.workspace_id = s.workspace_id and j.id = s.job_id
where s.workspace_id = current_workspace() and (%(before)s::bigint is null or s.id < %(before)s::bigint)
order by s.id desc limit %(n)s

-- name: hold
-- Nobody else pays for it, gives it back or tries it again until we commit.
select id from search where workspace_id = current_workspace() and id = %(search)s for update

-- name: given_to
-- Which job works on it.
update search set job_id = %(job)s where workspace_id = current_workspace() and id = %(search)s

-- name: previewed
-- What the vendor shows for nothing, and what the rest costs.
update search set state = 'preview', contacts = %(contacts)s, found = %(found)s, price_cents = %(price)s
where workspace_id = current_workspace() and id = %(search)s and state = 'draft' returning id

-- name: pay
-- Paid: from here on it is owed.
update search set state = 'paid', paid_cents = %(cents)s, paid_by = %(by)s, paid_at = clock_timestamp(), error = null
where workspace_id = current_workspace() and id = %(search)s

-- name: again
-- Tried again, and not paid again: what the try before took, or may have taken, is spent.
update search s set state = 'paid', error = null, ended_at = null, spent_micros = s.spent_micros + (
  select coalesce(sum(coalesce(c.price_micros, c.reserved_micros)), 0)::bigint
  from batch b join call c on c.workspace_id = b.workspace_id and c.batch_id = b.id
  where b.workspace_id = s.workspace_id and b.job_id = s.job_id)
where s.workspace_id = current_workspace() and s.id = %(search)s

-- name: enriching
-- Its contacts are a batch by now.
update search set state = 'enriching' where workspace_id = current_workspace() and id = %(search)s and state = 'paid' returning id

-- name: end
-- At its end, for now: one that failed is tried again or paid back.
update search set state = %(state)s, error = %(error)s, ended_at = clock_timestamp()
where workspace_id = current_workspace() and id = %(search)s and state in ('draft', 'paid', 'enriching') returning id

-- name: served
-- How many were handed over at most in any try, of which there is no row while one is open: people as they are enriched,
-- companies all together with their batch, for its rows name them.
update search s set served = greatest(s.served, w.served)
from (
  select coalesce(max(case o.about when 'companies' then b.total else b.completed + b.partial end), 0) as served, coalesce(bool_and(b.finished_at is not null), true) as over
  from search o join batch b on b.workspace_id = o.workspace_id and b.job_id = o.job_id
  where o.workspace_id = current_workspace() and o.id = %(search)s
) w
where s.workspace_id = current_workspace() and s.id = %(search)s and w.over returning s.served

-- name: returned
-- Of what was paid, given back for those who were not enriched.
update search set returned_cents = returned_cents + %(cents)s where workspace_id = current_workspace() and id = %(search)s

-- name: refunded
-- Paid back: it is not owed any more.
update search set state = 'failed', refunded_at = clock_timestamp(), ended_at = coalesce(ended_at, clock_timestamp())
where workspace_id = current_workspace() and id = %(search)s

-- name: tell
-- The feed and the endpoints hear of it.
insert into event (workspace_id, type, data)
select current_workspace(), %(type)s, jsonb_build_object('search_id', s.id, 'state', s.state, 'found', s.found,
  'price_cents', s.price_cents, 'paid_by', s.paid_by, 'error', s.error)
from search s where s.workspace_id = current_workspace() and s.id = %(search)s

-- name: workspace
-- Whether it is there.
select id from workspace where id = current_workspace()

-- name: open_account
-- The balance of a workspace that has none yet.
insert into credit (workspace_id, balance_cents) values (current_workspace(), 0) on conflict do nothing

-- name: book
-- What comes in or goes out; no row where there is not as much.
with booked as (
  update credit set balance_cents = balance_cents + %(cents)s
  where workspace_id = current_workspace() and balance_cents + %(cents)s >= 0 returning balance_cents
), entered as (
  insert into credit_entry (workspace_id, cents, reason, search_id, actor, request_key)
  select current_workspace(), %(cents)s, %(reason)s, %(search)s, %(actor)s, %(key)s from booked
)
select balance_cents from booked

-- name: granted
-- What a request with this key gave; whoever gives now waits for the others.
select balance_cents, (
  select e.cents from credit_entry e where e.workspace_id = current_workspace() and e.request_key = %(key)s) as cents
from credit where workspace_id = current_workspace()

-- name: hold_account
-- Nobody else's booking comes between.
select balance_cents from credit where workspace_id = current_workspace() for update

-- name: balance
-- What may be spent on searches.
select balance_cents from credit where workspace_id = current_workspace()

-- name: entries
-- How it came about, the newest first.
select id, cents, reason, search_id, actor, at from credit_entry
where workspace_id = current_workspace() and (%(before)s::bigint is null or id < %(before)s::bigint) order by id desc limit %(n)s

-- name: arrived
-- A payment, once: neither by the same event nor by another of the same checkout.
insert into payment (workspace_id, event_id, checkout_id, search_id, cents, currency, outcome)
values (current_workspace(), %(event)s, %(checkout)s, %(search)s, %(cents)s, %(currency)s, %(outcome)s) on conflict do nothing returning event_id
