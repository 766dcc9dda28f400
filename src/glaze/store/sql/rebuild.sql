-- name: answers
-- A page of answered calls by id, each with what the vendor said; null where that was not kept.
select c.id, q.provider, q.operation, c.price_micros, c.settled_at, a.body
from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
left join answer a on a.workspace_id = c.workspace_id and a.call_id = c.id
where c.workspace_id = current_workspace() and c.id > %(after)s and c.state = 'settled'
  and (%(provider)s::text is null or q.provider = %(provider)s)
order by c.id limit %(n)s

-- name: hold_calls
-- Calls whose answers are read again, in id order: nobody copies what they stated meanwhile.
select id from call where workspace_id = current_workspace() and id = any(%(calls)s::bigint[]) order by id for update

-- name: homes
-- Where what was observed of an entity belongs by now.
select id, coalesce(merged_into, id) as home from entity
where workspace_id = current_workspace() and id = any(%(entities)s::bigint[])

-- name: hold_entities
-- Nobody merges these entities, or their values, until we commit; in id order, as everywhere.
select id from entity where workspace_id = current_workspace() and id = any(%(entities)s::bigint[]) order by id for no key update

-- name: stated
-- What these calls stated, as it stands.
select id, call_id, entity_id, field, value, raw, confidence, source_url, quote, cost_micros, retrieved_at
from observation where workspace_id = current_workspace() and call_id = any(%(calls)s::bigint[]) order by id

-- name: state_otherwise
-- The same statements, read otherwise.
update observation o set value = a.value, raw = a.raw, confidence = a.confidence, source_url = a.source_url, quote = a.quote,
  cost_micros = a.cost_micros
from (select * from jsonb_to_recordset(%(rows)s) as r(id bigint, value jsonb, raw text, confidence smallint, source_url text, quote text,
  cost_micros bigint) order by id) a
where o.workspace_id = current_workspace() and o.id = a.id

-- name: state_more
-- Statements that were not read before; as old as the answer that holds them.
insert into observation (workspace_id, entity_id, call_id, field, value, raw, confidence, provider, source_url, quote, cost_micros, retrieved_at)
select current_workspace(), a.entity_id, a.call_id, a.field, a.value, a.raw, a.confidence, a.provider, a.source_url, a.quote,
       a.cost_micros, a.retrieved_at
from rows from (jsonb_to_recordset(%(rows)s) as (entity_id bigint, call_id bigint, field text, value jsonb, raw text,
  confidence smallint, provider text, source_url text, quote text, cost_micros bigint, retrieved_at timestamptz))
  with ordinality as a(entity_id, call_id, field, value, raw, confidence, provider, source_url, quote, cost_micros, retrieved_at, ord)
order by a.ord

-- name: underive
-- The winners that rest on statements which go: before these, for what a cascade changes nobody counts.
delete from entity_field f using observation o
where o.workspace_id = current_workspace() and o.id = any(%(ids)s::bigint[])
  and f.workspace_id = o.workspace_id and f.entity_id = o.entity_id and f.observation_id = o.id

-- name: unstate
-- Statements that are not read any more.
delete from observation where workspace_id = current_workspace() and id = any(%(ids)s::bigint[])

-- name: entities
-- A page of entities by id, but for those that became another.
select id from entity where workspace_id = current_workspace() and id > %(after)s and merged_into is null order by id limit %(n)s

-- name: moments
-- As of when each entity's values are derived: its last merge; where none is known, its newest statement.
select e.id, e.kind, coalesce(e.merged_at, (select max(o.retrieved_at) from observation o
  where o.workspace_id = e.workspace_id and o.entity_id = e.id), e.created_at) as at
from entity e where e.workspace_id = current_workspace() and e.id = any(%(entities)s::bigint[]) order by e.id

-- name: winners
-- What the cache answers of these entities.
select entity_id, field, value, confidence, observation_id, alternatives from entity_field
where workspace_id = current_workspace() and entity_id = any(%(entities)s::bigint[])
