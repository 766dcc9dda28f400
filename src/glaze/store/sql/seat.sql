-- name: make
-- As many seats as the cap is high, where they are not there yet.
insert into vendor_seat (provider, credential, seat)
select %(provider)s, %(credential)s, n from generate_series(1, %(most)s) n
where not exists (select from vendor_seat s where s.provider = %(provider)s and s.credential = %(credential)s and s.seat = n)
on conflict do nothing

-- name: drop
-- Seats over the cap of today, as soon as nobody holds them.
delete from vendor_seat where provider = %(provider)s and credential = %(credential)s and seat > %(most)s and until <= clock_timestamp()

-- name: forget
-- Claims of processes that are gone.
delete from seat_claim where until < clock_timestamp() - interval '1 minute'

-- name: share
-- Renew what this process keeps, let go of the rest, and take what is free and ours: all that we want
-- where nobody else wants any, else up to an even share, after those that have less and waited longer.
-- Nobody waits for another process: a free seat is locked by who takes it, a held one is its holder's alone.
with moment as materialized (
  select clock_timestamp() as at
), claimed as (
  insert into seat_claim as c (provider, credential, holder, wanted, since, until)
  select %(provider)s, %(credential)s, %(holder)s, %(wanted)s, at, at + make_interval(secs => %(claim_s)s) from moment
  where %(wanted)s > 0
  on conflict (provider, credential, holder) do update set wanted = excluded.wanted, until = excluded.until,
    since = case when %(last)s or c.until <= excluded.since then excluded.since else c.since end
), left_off as (
  delete from seat_claim where provider = %(provider)s and credential = %(credential)s and holder = %(holder)s and %(wanted)s = 0
), seats as materialized (
  select s.seat, s.ctid as place, case when s.until > m.at then s.holder end as holder
  from vendor_seat s, moment m where s.provider = %(provider)s and s.credential = %(credential)s and s.seat <= %(most)s
), mine as (
  select place, row_number() over (order by seat) as n from seats where holder = %(holder)s
), kept as (
  update vendor_seat s set until = case when mine.n <= %(keep)s then m.at + make_interval(secs => %(lease_s)s) else '-infinity' end
  from mine, moment m
  where s.ctid = mine.place and s.holder = %(holder)s and s.until > m.at
  returning mine.n <= %(keep)s as stays
), others as materialized (
  select c.holder, c.wanted, c.since, (select count(*) from seats s where s.holder = c.holder) as held
  from seat_claim c, moment m
  where c.provider = %(provider)s and c.credential = %(credential)s and c.holder <> %(holder)s and c.until > m.at
), own as (
  select least(%(keep)s, (select count(*) from mine)) as held,
    coalesce((select case when %(last)s or c.until <= m.at then m.at else c.since end from seat_claim c
              where c.provider = %(provider)s and c.credential = %(credential)s and c.holder = %(holder)s), m.at) as since
  from moment m
), fair as materialized (
  select greatest(1, floor(even))::int as least, ceil(even)::int as most
  from (select %(most)s::float8 / (1 + (select count(*) from others)) as even) e
), lacking as materialized (
  select coalesce(sum(greatest(0, least(o.wanted, f.least) - o.held)), 0) as seats,
    coalesce(sum(greatest(0, least(o.wanted, f.least) - o.held)) filter (where (o.since, o.holder) < (own.since, %(holder)s::uuid)), 0) as before_us,
    coalesce(sum(greatest(0, least(o.wanted, f.most) - o.held)), 0) as more,
    coalesce(bool_or(o.held = 0), false) and count(*) >= %(most)s as crowded
  from others o, fair f, own
), free as (
  select count(*) as seats from seats where holder is null
), taken as (
  update vendor_seat s set holder = %(holder)s, until = m.at + make_interval(secs => %(lease_s)s)
  from moment m where s.ctid = any(array(
    select v.ctid from vendor_seat v, moment m
    where v.provider = %(provider)s and v.credential = %(credential)s and v.seat <= %(most)s and v.until <= m.at
    order by v.seat
    limit (select greatest(0, case when l.seats > 0 then least(least(%(wanted)s, f.least) - own.held, free.seats - l.before_us)
                                   when l.more > 0 then least(%(wanted)s, f.most) - own.held
                                   else %(wanted)s - own.held end)
           from lacking l, own, fair f, free)
    for update of v skip locked))
  returning 1
)
select (select count(*) from kept where stays) + taken.seats as held, (select count(*) from seats) as seats,
  case when l.seats > free.seats - taken.seats then f.least
       when l.more > free.seats - taken.seats then f.most else %(most)s end as share, l.crowded
from lacking l, free, fair f, (select count(*) as seats from taken) taken
