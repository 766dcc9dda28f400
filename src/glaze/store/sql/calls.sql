-- name: page
-- Calls below an id, the newest first, by what is asked of them.
select c.id, c.state, q.provider, q.operation, q.credential, c.generation, c.job_id, c.batch_id, c.request_id, c.created_at,
       c.settled_at, c.deadline, c.reserved_micros, c.price_micros, c.verdict, c.detail, c.resolved_by, c.wanted, c.position,
       c.missed, c.reason, c.resend, c.collect_until
from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
where c.workspace_id = current_workspace() and c.id < coalesce(%(before)s::bigint, 9223372036854775807)
  and (%(ids)s::bigint[] is null or c.id = any(%(ids)s::bigint[]))
  and (%(states)s::call_state[] is null or c.state = any(%(states)s::call_state[]))
  and (%(paid)s::boolean is not true or greatest(c.reserved_micros, c.price_micros) > 0)
  and (%(provider)s::text is null or q.provider = %(provider)s)
  and (%(job)s::bigint is null or c.job_id = %(job)s)
  and (%(batch)s::bigint is null or c.batch_id = %(batch)s)
  and (%(since)s::timestamptz is null or c.created_at >= %(since)s)
  and (%(until)s::timestamptz is null or c.created_at < %(until)s)
order by c.id desc limit %(n)s

-- name: request
-- The exchange with the vendor that carried a call.
select v.id, v.calls, v.sent_at, v.answered_at, v.status, v.exchanges, v.bytes, v.billed_micros, v.remainder_micros, v.error,
       v.correlation_id
from vendor_request v where v.workspace_id = current_workspace() and v.id = %(request)s

-- name: brought
-- What a call stated, the fields in order.
select o.field, o.value, o.confidence, o.source_url, o.quote, o.cost_micros
from observation o where o.workspace_id = current_workspace() and o.call_id = %(call)s order by o.field, o.id

-- name: hold
-- Calls that somebody is about to resolve, in id order: nobody settles them meanwhile.
select id, state from call where workspace_id = current_workspace() and id = any(%(calls)s::bigint[]) order by id for update

-- name: resolve
-- What somebody found out about unknown calls. Their reservations are released, the price is booked; what exceeds
-- the reservation is overrun, never refused. Where the answer came and only its bill could not be read, it counts from now on.
with told as materialized (
  select f.*, exists (select from call k join answer a on a.workspace_id = k.workspace_id and a.call_id = k.id
                      where k.workspace_id = current_workspace() and k.id = f.id and k.verdict = 'match') as answered
  from jsonb_to_recordset(%(found)s) as f(id bigint, price_micros bigint) order by f.id
), ended as (
  update call c set
    state = case when t.price_micros > 0 or t.answered then 'settled' else 'not_billed' end::call_state,
    price_micros = t.price_micros, settled_at = clock_timestamp(), resolved_by = %(by)s, asked = null,
    verdict = case when t.price_micros > 0 and not t.answered then %(lost)s else c.verdict end
  from told t
  where c.workspace_id = current_workspace() and c.id = t.id and c.state = 'unknown'
  returning c.id, c.budget_ids, c.reserved_micros, c.price_micros, c.request_id
), shared as (
  update observation o set cost_micros = s.cost_micros
  from (
    select v.id, e.price_micros / count(*) over calls
           + case when row_number() over (partition by v.call_id order by v.id) = 1 then e.price_micros %% count(*) over calls else 0 end as cost_micros
    from observation v join ended e on e.id = v.call_id where v.workspace_id = current_workspace()
    window calls as (partition by v.call_id)
  ) s
  where o.workspace_id = current_workspace() and o.id = s.id
), wire as (
  update vendor_request v set billed_micros = v.billed_micros + e.paid
  from (select request_id, sum(price_micros)::bigint as paid from ended group by request_id) e
  where v.workspace_id = current_workspace() and v.id = e.request_id
), hot as materialized (
  select b.id from budget b
  where b.workspace_id = current_workspace() and b.id in (select unnest(e.budget_ids) from ended e)
  order by b.id for update of b
), booked as (
  update budget b set reserved_micros = b.reserved_micros - a.released, spent_micros = b.spent_micros + a.spent,
    overrun_micros = b.overrun_micros + a.overrun
  from (
    select from_budget.id, sum(e.reserved_micros)::bigint as released, sum(e.price_micros)::bigint as spent,
           sum(greatest(0, e.price_micros - e.reserved_micros))::bigint as overrun
    from ended e cross join unnest(e.budget_ids) as from_budget(id) join hot on hot.id = from_budget.id
    group by from_budget.id order by from_budget.id
  ) a
  where b.workspace_id = current_workspace() and b.id = a.id
)
select id from ended
