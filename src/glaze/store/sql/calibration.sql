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
-- What sources stated of what people know to be true; by pages along the key of decisions. What a model chose
-- among others' statements is none of its own.
select d.entity_id, d.field, d.value as truth, o.provider, o.confidence, o.value
from (
  select * from decision
  where workspace_id = current_workspace() and act <> 'locked' and (entity_id, field) > (%(entity)s, %(field)s)
  order by entity_id, field limit %(n)s) d
left join observation o on o.workspace_id = d.workspace_id and o.entity_id = d.entity_id and o.field = d.field
  and not starts_with(coalesce(o.raw, ''), %(choice)s)
order by d.entity_id, d.field

-- name: stated_of_domains
-- What sources stated of the companies at these domains; no choices.
select k.key as domain, o.entity_id, o.field, o.provider, o.confidence, o.value
from entity_key k join observation o on o.workspace_id = k.workspace_id and o.entity_id = k.entity_id
where k.workspace_id = current_workspace() and k.kind = 'company' and k.scheme = 'domain' and k.key = any(%(domains)s)
  and not starts_with(coalesce(o.raw, ''), %(choice)s)
