-- name: put
-- The profile that counts from now on.
insert into icp (workspace_id, version, profile) values (current_workspace(), 1, %(profile)s)
on conflict (workspace_id) do update set version = icp.version + 1, profile = excluded.profile, set_at = excluded.set_at
returning version

-- name: get
-- The profile that counts.
select version, profile from icp where workspace_id = current_workspace()

-- name: due
-- The next entities whose score is of another profile, or older than their values.
select e.id, e.kind::text as kind from entity e
left join icp_score s on s.workspace_id = e.workspace_id and s.entity_id = e.id
where e.workspace_id = current_workspace() and e.id > %(after)s and e.merged_into is null and e.kind::text = any(%(kinds)s)
  and (s.version is distinct from %(version)s or e.merged_at > s.scored_at)
  and exists (select from entity_field f where f.workspace_id = e.workspace_id and f.entity_id = e.id)
order by e.id limit %(n)s

-- name: values
-- What is known of these entities, of the fields that the profile looks at.
select entity_id, field, value, confidence from entity_field
where workspace_id = current_workspace() and entity_id = any(%(entities)s) and field = any(%(fields)s)

-- name: keep
-- New scores, in id order.
insert into icp_score (workspace_id, entity_id, version, score, certainty, reasons)
select current_workspace(), a.entity_id, %(version)s, a.score, a.certainty, a.reasons
from jsonb_to_recordset(%(scores)s) as a(entity_id bigint, score smallint, certainty smallint, reasons jsonb)
order by a.entity_id
on conflict (workspace_id, entity_id) do update set version = excluded.version, score = excluded.score,
  certainty = excluded.certainty, reasons = excluded.reasons, scored_at = excluded.scored_at

-- name: scores
-- Scores in the order of entities, with what leads to each.
select s.entity_id, e.kind::text as kind, s.score, s.certainty, s.reasons,
       array(select k.scheme || ':' || k.key from entity_key k where k.workspace_id = s.workspace_id and k.entity_id = s.entity_id
             order by k.scheme, k.key) as keys
from icp_score s join entity e on e.workspace_id = s.workspace_id and e.id = s.entity_id
where s.workspace_id = current_workspace() and s.entity_id > %(after)s and s.version = %(version)s and e.merged_into is null
order by s.entity_id limit %(n)s
