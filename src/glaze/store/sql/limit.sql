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
-- A table without statistics yet must not make each taker sort all slots.
set local enable_sort = off

-- name: take
-- As many permits as every window has free, at most so many; nobody waits for another taker. A slot
-- is busy for its window and the allowance, within which the permit must be used.
with moment as materialized (
  select clock_timestamp() as at
), windows as materialized (
  select window_s, allowance_s from jsonb_to_recordset(%(windows)s) as a(window_s int, allowance_s float8)
), free as materialized (
  select w.window_s, s.place, row_number() over (partition by w.window_s) as n
  from windows w cross join lateral (
    select ctid as place from rate_slot
    where provider = %(provider)s and credential = %(credential)s and window_s = w.window_s
      and free_at <= (select at from moment)
    order by free_at limit %(wanted)s for update skip locked
  ) s
), granted as materialized (
  select coalesce(min(n), 0) as n from (
    select count(f.n) as n from windows w left join free f using (window_s) group by w.window_s
  ) counts
), taken as (
  update rate_slot r set free_at = (
    select m.at + make_interval(secs => w.window_s + w.allowance_s) from moment m, windows w where w.window_s = r.window_s)
  where r.ctid = any(array(select f.place from free f, granted g where f.n <= g.n))
)
select granted.n as granted, moment.at from granted, moment

-- name: next_free
-- When every window has a slot again, in seconds from now.
select greatest(0, extract(epoch from max(first.free_at) - clock_timestamp()))::float8 as wait_s, count(first.free_at) as windows
from unnest(%(spans)s) as span
left join lateral (
  select free_at from rate_slot
  where provider = %(provider)s and credential = %(credential)s and window_s = span
  order by free_at limit 1) first on true

-- name: hold_back
-- The vendor asked for a pause: no slot is free before it ends.
update rate_slot set free_at = greatest(free_at, clock_timestamp() + make_interval(secs => %(wait_s)s))
where provider = %(provider)s and credential = %(credential)s

-- name: circuit
-- Closed, or the seconds until it may be tried; one asker at a time becomes the probe.
with probe as (
  update circuit set probe_until = clock_timestamp() + make_interval(secs => %(probe_s)s)
  where provider = %(provider)s and base_url = %(base_url)s and open_until <= clock_timestamp()
    and (probe_until is null or probe_until <= clock_timestamp())
  returning 1
)
select case when open_until is null or exists (select from probe) then 0
            else greatest(0.1, extract(epoch from greatest(open_until, probe_until) - clock_timestamp())) end::float8 as wait_s
from circuit where provider = %(provider)s and base_url = %(base_url)s

-- name: circuit_failed
-- One more failure in a row; at the threshold, or when a probe fails, it opens.
insert into circuit as c (provider, base_url, failures) values (%(provider)s, %(base_url)s, 1)
on conflict (provider, base_url) do update set
  failures = c.failures + 1, probe_until = null,
  open_until = case when c.failures + 1 >= %(threshold)s or c.open_until is not null
                    then clock_timestamp() + make_interval(secs => %(open_s)s) end

-- name: circuit_succeeded
-- An answer came: closed.
update circuit set failures = 0, open_until = null, probe_until = null
where provider = %(provider)s and base_url = %(base_url)s and (failures > 0 or open_until is not null)
