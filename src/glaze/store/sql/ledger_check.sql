-- name: budgets_hold_what_their_calls_hold
-- Reserved is the sum of what its open calls reserved, spent the sum of what the others did cost.
with sums as (
  select b.id, coalesce(sum(c.reserved_micros) filter (where c.state in ('sending', 'pending_vendor', 'unknown')), 0) as reserved,
         coalesce(sum(c.price_micros), 0) as spent
  from budget b
  left join (select id, state, reserved_micros, price_micros, unnest(budget_ids) as budget_id from call
             where workspace_id = current_workspace()) c on c.budget_id = b.id
  where b.workspace_id = current_workspace() group by b.id
)
select b.id, b.reserved_micros <> s.reserved or b.spent_micros <> s.spent as broken,
       format('%%s %%s: reserved %%s, by its calls %%s; spent %%s, by its calls %%s', b.scope, b.scope_key, b.reserved_micros, s.reserved,
              b.spent_micros, s.spent) as said
from budget b join sums s on s.id = b.id where b.workspace_id = current_workspace()

-- name: no_budget_is_over_its_cap
-- What is reserved and spent, without what vendors billed beyond the reservation, is below the cap.
select id, reserved_micros + spent_micros - overrun_micros > cap_micros as broken,
       format('%%s %%s: %%s reserved, %%s spent, %%s overrun, cap %%s', scope, scope_key, reserved_micros, spent_micros, overrun_micros,
              cap_micros) as said
from budget where workspace_id = current_workspace()

-- name: questions_know_their_last_call
-- A question points at the call of its generation, and each generation before it has one call.
select q.id, last.id is null or last.generation <> q.generation or calls.n <> q.generation as broken,
       format('%%s %%s: generation %%s, its call is of %%s, calls %%s', q.provider, q.operation, q.generation, last.generation, calls.n) as said
from question q
left join call last on last.workspace_id = q.workspace_id and last.id = q.call_id and last.question_id = q.id
cross join lateral (select count(*) as n from call c where c.workspace_id = q.workspace_id and c.question_id = q.id) calls
where q.workspace_id = current_workspace() and q.generation > 0

-- name: ended_calls_have_a_price
-- A call that ended has a price and a time; what was not billed did cost nothing, and is open without either.
select id, case when state in ('settled', 'not_billed') then price_micros is null or settled_at is null
                else price_micros is not null or settled_at is not null end
           or (state = 'not_billed' and price_micros <> 0) as broken,
       format('%%s: price %%s, ended %%s', state, price_micros, settled_at) as said
from call where workspace_id = current_workspace()

-- name: requests_add_up
-- What a vendor billed for a request is what its calls did cost and what could not be apportioned.
select v.id, v.billed_micros <> v.remainder_micros + calls.paid or v.calls <> calls.n as broken,
       format('%%s %%s: billed %%s, its calls %%s, remainder %%s; calls %%s, found %%s', v.provider, v.operation, v.billed_micros, calls.paid,
              v.remainder_micros, v.calls, calls.n) as said
from vendor_request v
cross join lateral (
  select coalesce(sum(c.price_micros), 0) as paid, count(*) as n from call c
  where c.workspace_id = v.workspace_id and c.request_id = v.id) calls
where v.workspace_id = current_workspace() and v.answered_at is not null

-- name: observations_come_from_settled_calls
-- What a source stated hangs on the settled call that brought it, in that provider's name; or on one whose bill could not be read.
select o.id, c.state is null or not (c.state = 'settled' or c.state in ('unknown', 'pending_vendor') and c.verdict = 'match') or q.provider is distinct from o.provider as broken,
       format('%%s of %%s: call %%s of %%s is %%s', o.field, o.provider, o.call_id, q.provider, c.state) as said
from observation o
left join call c on c.workspace_id = o.workspace_id and c.id = o.call_id
left join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
where o.workspace_id = current_workspace()

-- name: costs_of_values_add_up
-- A call's price is shared by the values that it brought: no more of it and no less.
select c.id, sum(o.cost_micros) <> coalesce(c.price_micros, 0) as broken,
       format('price %%s, by its values %%s', c.price_micros, sum(o.cost_micros)) as said
from observation o join call c on c.workspace_id = o.workspace_id and c.id = o.call_id
where o.workspace_id = current_workspace() group by c.workspace_id, c.id, c.price_micros

-- name: values_have_a_source
-- Each value that the cache answers from is what an observation of that entity and field stated, or what a person decided.
select f.observation_id as id,
       case when f.observation_id is null then d.value is distinct from f.value
            else o.id is null or o.field <> f.field or o.entity_id <> f.entity_id end as broken,
       format('%%s of entity %%s: observation %%s is of %%s, entity %%s; decided: %%s', f.field, f.entity_id, f.observation_id,
              o.field, o.entity_id, d.value) as said
from entity_field f left join observation o on o.workspace_id = f.workspace_id and o.id = f.observation_id
left join decision d on d.workspace_id = f.workspace_id and d.entity_id = f.entity_id and d.field = f.field
where f.workspace_id = current_workspace()

-- name: matches_kept_their_answer
-- What was answered, and by a vendor's reply, is kept as it came.
select c.id, a.call_id is null as broken, format('%%s, verdict %%s, no raw answer', c.state, c.verdict) as said
from call c left join answer a on a.workspace_id = c.workspace_id and a.call_id = c.id
where c.workspace_id = current_workspace() and c.state = 'settled' and c.verdict = 'match'
