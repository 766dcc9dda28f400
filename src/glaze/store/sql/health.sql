-- name: calls
-- What came of the calls since a moment, by provider, and the last that failed; one that was never sent is none.
with recent as (
  select q.provider, c.id, c.state, c.verdict, c.detail, c.price_micros, c.reserved_micros, c.created_at
  from call c join question q on q.id = c.question_id and q.workspace_id = c.workspace_id
  where c.workspace_id = current_workspace() and c.created_at >= %(since)s and (c.state <> 'not_billed' or c.verdict is not null)
), failed as (
  select distinct on (provider) provider, verdict, detail, created_at from recent
  where verdict = any(%(errors)s) order by provider, id desc
), spans as (
  select r.provider, percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from r.answered_at - r.sent_at)) as s
  from vendor_request r
  where r.workspace_id = current_workspace() and r.sent_at >= %(since)s
    and r.answered_at is not null
  group by r.provider
)
select r.provider, count(*) as calls, count(*) filter (where r.verdict = 'match') as hits,
  count(*) filter (where r.verdict = any(%(misses)s)) as misses, count(*) filter (where r.verdict = any(%(errors)s)) as errors,
  count(*) filter (where r.verdict = 'rate_limited') as told_to_wait, count(*) filter (where r.state = 'unknown') as unknown,
  coalesce(sum(r.price_micros), 0)::bigint as spent_micros,
  coalesce(sum(r.reserved_micros) filter (where r.state in ('sending', 'pending_vendor', 'unknown')), 0)::bigint as open_micros,
  s.s[1]::float8 as p50_s, s.s[2]::float8 as p95_s, f.verdict as error, f.detail as error_detail, f.created_at as error_at
from recent r left join spans s on s.provider = r.provider left join failed f on f.provider = r.provider
group by r.provider, s.s, f.verdict, f.detail, f.created_at order by r.provider

-- name: windows
-- How much of each limit is free now, and when the next slot is.
select provider as name, credential, window_s, count(*) as calls, count(*) filter (where free_at <= clock_timestamp()) as free,
  greatest(0, extract(epoch from min(greatest(free_at, 'epoch')) - clock_timestamp()))::float8 as wait_s
from rate_slot group by provider, credential, window_s order by provider, credential, window_s

-- name: seats
-- How many calls are under way where their number is capped, by whose key, and how many processes want more.
select s.provider as name, s.credential, count(*) filter (where s.until > clock_timestamp()) as under_way,
  (select count(*) from seat_claim c where c.provider = s.provider and c.credential = s.credential and c.until > clock_timestamp()
     and c.wanted > (select count(*) from vendor_seat v where v.provider = s.provider and v.credential = s.credential
                       and v.holder = c.holder and v.until > clock_timestamp())) as waiting
from vendor_seat s group by s.provider, s.credential order by s.provider, s.credential

-- name: rooms
-- What vendors said that still holds, or that one call is to try again.
select provider as name, credential, cause, span, calls_left, since, until, detail, until <= clock_timestamp() as lapsed
from vendor_room where until > clock_timestamp() or probe_s is not null order by provider, credential, cause, span

-- name: circuits
-- Where each circuit stands.
select provider as name, base_url, failures, opened_at, open_until, last_error, failed_at,
  case when open_until is null then 'closed' when open_until > clock_timestamp() then 'open' else 'half-open' end as state
from circuit order by provider, base_url
