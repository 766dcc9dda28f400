-- name: make_slots
-- One slot a call of each window, where it is not there yet.
insert into rate_slot (provider, credential, window_s, slot)
select %(provider)s, %(credential)s, a.window_s, n
from jsonb_to_recordset(%(limits)s) as a(window_s int, calls int), generate_series(1, a.calls) n
where not exists (select from rate_slot s where s.provider = %(provider)s and s.credential = %(credential)s
                    and s.window_s = a.window_s and s.slot = n)
on conflict do nothing

-- name: drop_slots
-- Slots that the limits of today do not have; one that is busy keeps its window honest until it is free.
delete from rate_slot s where s.provider = %(provider)s and s.credential = %(credential)s and s.free_at <= clock_timestamp()
  and not exists (select from jsonb_to_recordset(%(limits)s) as a(window_s int, calls int)
                  where a.window_s = s.window_s and s.slot <= a.calls)

-- name: in_index_order
-- By the indexes and by place, whatever the statistics say: a taker must not sort or hash all slots.
select set_config('enable_sort', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true),
  set_config('enable_seqscan', 'off', true)

-- name: take
-- As many permits as every window and the vendor have room for, at most so many, each for its own
-- moment: now, or when its slots are free, a little ahead, and none together with another: a crowd that
-- left at once would come back at once, window after window. Nobody waits for another taker. A slot is
-- busy for its window and the guard band, within which the request arrives.
with moment as materialized (
  select clock_timestamp() as at
), room as materialized (
  select r.provider, r.cause, r.span, r.until <= m.at as lapsed, case when r.until > m.at then r.calls_left else 1 end as calls
  from vendor_room r, moment m
  where r.provider = any(%(names)s) and r.credential = %(credential)s and (r.cause <> 'key' or r.span = %(key_print)s)
    and (r.until > m.at or r.probe_s is not null)
  order by r.provider, r.cause, r.span for update of r
), windows as materialized (
  select window_s, guard_s from jsonb_to_recordset(%(windows)s) as a(window_s int, guard_s float8)
), free as materialized (
  select w.window_s, w.guard_s, s.place, s.free_at, row_number() over (partition by w.window_s order by s.free_at) as n
  from windows w cross join lateral (
    select ctid as place, free_at from rate_slot
    where provider = %(provider)s and credential = %(credential)s and window_s = w.window_s
      and free_at <= (select at from moment) + make_interval(secs => %(ahead_s)s)
    order by free_at limit %(wanted)s for update skip locked
  ) s
), whole as (
  select f.n, greatest(m.at + make_interval(secs => %(lead_s)s), max(f.free_at)) as at
  from free f, moment m group by f.n, m.at
  having count(*) = (select count(*) from windows) and f.n <= coalesce((select min(calls) from room), f.n)
), spaced as (
  select n, max(at - n * make_interval(secs => %(apart_s)s)) over (order by n) + n * make_interval(secs => %(apart_s)s) as at
  from whole
), granted as materialized (
  select s.n, s.at from spaced s, moment m where s.n = 1 or s.at <= m.at + make_interval(secs => %(ahead_s)s)
), taken as (
  update rate_slot r set free_at = g.at + make_interval(secs => f.window_s + f.guard_s)
  from free f join granted g on g.n = f.n where r.ctid = f.place
), told as (
  update vendor_room v set
    calls_left = case when r.lapsed then 0 else r.calls - g.n end,
    until = case when r.lapsed then m.at + make_interval(secs => v.probe_s) else v.until end,
    probing = v.probing or r.lapsed
  from room r, moment m, (select count(*)::int as n from granted) g
  where g.n > 0 and v.provider = r.provider and v.credential = %(credential)s and v.cause = r.cause and v.span = r.span
)
select g.at, extract(epoch from g.at - m.at)::float8 as ahead_s, m.at as asked_at, exists (select from room where lapsed) as trying
from moment m left join granted g on true

-- name: give_back
-- Permits that were not used: a slot of each window is free as it was, and the vendor's count as well.
-- Slots that were granted for the same moment are as good as one another.
with windows as (
  select window_s, guard_s from jsonb_to_recordset(%(windows)s) as a(window_s int, guard_s float8)
), given as materialized (
  select at, count(*) as n from unnest(%(at)s::timestamptz[]) as at group by at
), unused as materialized (
  select s.place, g.at from given g cross join windows w cross join lateral (
    select ctid as place from rate_slot
    where provider = %(provider)s and credential = %(credential)s and window_s = w.window_s
      and free_at = g.at + make_interval(secs => w.window_s + w.guard_s)
    limit g.n for update skip locked
  ) s
), told as (
  update vendor_room v set calls_left = calls_left + (select coalesce(sum(n), 0) from given where at >= v.since)
  where provider = any(%(names)s) and credential = %(credential)s and cause in ('window', 'quota')
    and until > clock_timestamp() and not probing
)
update rate_slot r set free_at = u.at from unused u where r.ctid = u.place

-- name: next_free
-- When every window has a slot again, in seconds from now, and what the vendor said where that is what keeps us.
with slots as (
  select max(first.free_at) as free_at, count(first.free_at) as windows
  from unnest(%(spans)s) as span
  left join lateral (
    select free_at from rate_slot
    where provider = %(provider)s and credential = %(credential)s and window_s = span
    order by free_at limit 1) first on true
), room as (
  select cause, detail, until from vendor_room
  where provider = any(%(names)s) and credential = %(credential)s and (cause <> 'key' or span = %(key_print)s)
    and calls_left = 0 and until > clock_timestamp()
  order by cause in ('quota', 'credits', 'key') desc, until desc limit 1
)
select greatest(0, extract(epoch from greatest(slots.free_at, room.until) - clock_timestamp()))::float8 as wait_s,
  slots.windows, room.cause, room.detail, room.until
from slots left join room on true

-- name: tell
-- What the vendor said. In one window its count only goes down: an older answer may come later.
insert into vendor_room as v (provider, credential, cause, span, calls_left, until, probe_s, detail)
select %(provider)s, %(credential)s, t.cause, t.span, t.calls_left, clock_timestamp() + make_interval(secs => t.wait_s), t.probe_s, t.detail
from jsonb_to_recordset(%(rooms)s) as t(cause text, span text, calls_left int, wait_s float8, probe_s float8, detail text)
order by t.cause, t.span
on conflict (provider, credential, cause, span) do update set
  calls_left = case when v.until > clock_timestamp() and not v.probing then least(v.calls_left, excluded.calls_left) else excluded.calls_left end,
  until = case when v.until > clock_timestamp() and not v.probing and v.cause in ('window', 'quota') then v.until
               else greatest(v.until, excluded.until) end,
  since = case when v.until > clock_timestamp() or v.probing then v.since else excluded.since end,
  probe_s = excluded.probe_s, probing = false, detail = excluded.detail

-- name: accepted
-- The vendor answered with this key: what was said against it no longer holds, nor a quota that this answer was to
-- try and that was not told of again.
delete from vendor_room
where provider = any(%(names)s) and credential = %(credential)s
  and (cause = 'credits' or cause = 'key' and span = %(key_print)s or cause in ('window', 'quota') and probing)

-- name: circuit
-- Closed, or the seconds until it may be tried; one asker at a time becomes the probe.
with probe as (
  update circuit set probe_until = clock_timestamp() + make_interval(secs => %(probe_s)s)
  where provider = %(provider)s and base_url = %(base_url)s and open_until <= clock_timestamp()
    and (probe_until is null or probe_until <= clock_timestamp())
  returning probe_until
)
select (select probe_until from probe) as probe_until,
  case when open_until is null or exists (select from probe) then 0
       else greatest(0.1, extract(epoch from greatest(open_until, probe_until) - clock_timestamp())) end::float8 as wait_s
from circuit where provider = %(provider)s and base_url = %(base_url)s

-- name: circuit_failed
-- One more failure in a row; at the threshold, or when the probe fails, it opens. What was sent before
-- it opened and fails later neither keeps it open for longer nor ends the probe.
insert into circuit as c (provider, base_url, failures, last_error, failed_at)
values (%(provider)s, %(base_url)s, 1, %(error)s, clock_timestamp())
on conflict (provider, base_url) do update set
  failures = c.failures + 1, last_error = excluded.last_error, failed_at = excluded.failed_at,
  probe_until = case when %(probe)s then null else c.probe_until end,
  opened_at = case when c.open_until is null and c.failures + 1 >= %(threshold)s then clock_timestamp() else c.opened_at end,
  open_until = case when %(probe)s or c.open_until is null and c.failures + 1 >= %(threshold)s
                    then clock_timestamp() + make_interval(secs => %(open_s)s) else c.open_until end

-- name: circuit_succeeded
-- An answer came. An open circuit is closed by its probe alone: other answers are to what was sent before.
update circuit set failures = 0, open_until = null, probe_until = null, opened_at = null
where provider = %(provider)s and base_url = %(base_url)s and (open_until is null and failures > 0 or %(probe)s)

-- name: circuit_unprobed
-- The probe was not sent after all: the next asker is it. One whose time was over by then, so that another is it, changes nothing.
update circuit set probe_until = null where provider = %(provider)s and base_url = %(base_url)s and probe_until = %(probe_until)s
