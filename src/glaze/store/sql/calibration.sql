-- name: newest
-- The calibration that counts.
select version, origin, samples, curves, held_out, fitted_at from calibration where workspace_id = current_workspace()
order by version desc limit 1

-- name: add
-- The next version; two at once are one after the other, or one is refused by the key.
insert into calibration (workspace_id, version, origin, samples, curves, held_out)
select current_workspace(), coalesce(max(version), 0) + 1, %(origin)s, %(samples)s, %(curves)s, %(held_out)s
from calibration where workspace_id = current_workspace()
returning version, origin, samples, curves, held_out, fitted_at

-- name: judged_by_people
-- What sources stated of what people know to be true; by pages along the key of decisions. What is stated again is
-- no further statement: of a question that was asked again counts what was last said, of equal ones one. What a model
-- chose among others' statements is none of its own.
with judged as (
  select * from decision
  where workspace_id = current_workspace() and act <> 'locked' and (entity_id, field) > (%(entity)s, %(field)s)
  order by entity_id, field limit %(n)s
), stated as (
  select o.entity_id, o.field, o.provider, o.confidence, o.value, c.generation,
         max(c.generation) over (partition by o.entity_id, o.field, c.question_id) as last_said
  from judged d
  join observation o on o.workspace_id = d.workspace_id and o.entity_id = d.entity_id and o.field = d.field
    and not starts_with(coalesce(o.raw, ''), %(choice)s)
  join call c on c.workspace_id = o.workspace_id and c.id = o.call_id
)
select distinct d.entity_id, d.field, d.value as truth, s.provider, s.confidence, s.value
from judged d left join stated s on s.entity_id = d.entity_id and s.field = d.field and s.generation = s.last_said
order by d.entity_id, d.field

-- name: stated_of_domains
-- What sources stated of the companies at these domains, each statement once, as above; no choices.
select distinct domain, entity_id, field, provider, confidence, value
from (
  select k.key as domain, o.entity_id, o.field, o.provider, o.confidence, o.value, c.generation,
         max(c.generation) over (partition by o.entity_id, o.field, c.question_id) as last_said
  from entity_key k
  join observation o on o.workspace_id = k.workspace_id and o.entity_id = k.entity_id
    and not starts_with(coalesce(o.raw, ''), %(choice)s)
  join call c on c.workspace_id = o.workspace_id and c.id = o.call_id
  where k.workspace_id = current_workspace() and k.kind = 'company' and k.scheme = 'domain'
    and k.key = any(%(domains)s)) as stated
where generation = last_said
