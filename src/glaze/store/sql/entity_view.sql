-- name: page
-- Entities below an id, newest first, but for those that turned out to be another.
select e.id, e.kind::text, e.created_at, e.employer_id from entity e
where e.workspace_id = current_workspace() and e.merged_into is null and e.id < %(before)s
  and (%(kind)s::text is null or e.kind::text = %(kind)s)
order by e.id desc limit %(n)s

-- name: one
-- The entity of this id, or the one that it turned out to be.
select h.id, h.kind::text, h.created_at, h.employer_id from entity e
join entity h on h.workspace_id = e.workspace_id and h.id = coalesce(e.merged_into, e.id)
where e.workspace_id = current_workspace() and e.id = %(id)s

-- name: keys
-- What leads to some entities.
select entity_id, scheme, key from entity_key
where workspace_id = current_workspace() and entity_id = any(%(entities)s::bigint[]) order by entity_id, scheme, key

-- name: names
-- The few fields by which people know an entity.
select entity_id, field, value from entity_field
where workspace_id = current_workspace() and entity_id = any(%(entities)s::bigint[])
  and field in ('company_name', 'company_domain', 'person_full_name', 'person_email', 'person_title')

-- name: history
-- What sources stated of an entity, newest first, below an id; of one field, where it is given.
select o.id, o.field, o.value, o.raw, o.confidence, o.provider, o.source_url, o.quote, o.call_id, o.cost_micros, o.retrieved_at, c.job_id
from observation o join call c on c.workspace_id = o.workspace_id and c.id = o.call_id
where o.workspace_id = current_workspace() and o.entity_id = %(entity)s and o.id < %(before)s
  and (%(field)s::text is null or o.field = %(field)s)
order by o.id desc limit %(n)s
