-- name: put
-- The profile that counts from now on.
insert into icp (workspace_id, version, profile) values (current_workspace(), 1, %(profile)s)
on conflict (workspace_id) do update set version = icp.version + 1, profile = excluded.profile, set_at = excluded.set_at
returning version

-- name: get
-- The profile that counts.
select version, profile from icp where workspace_id = current_workspace()

-- name: subjects
-- These entities, what each is scored with, and its score where that is of this profile and of the values as they are.
select e.id, e.kind::text as kind, c.id as employer_id, e.winners_changed + coalesce(c.winners_changed, 0) as winners_changed,
       s.entity_id is not null as is_scored, s.score, s.certainty, s.reasons
from entity e
left join entity c on c.workspace_id = e.workspace_id and c.id = case when e.kind = 'person' then employer_of(e.id) end
left join icp_score s on s.workspace_id = e.workspace_id and s.entity_id = e.id and s.version = %(version)s
  and s.employer_id is not distinct from c.id and s.winners_changed = e.winners_changed + coalesce(c.winners_changed, 0)
where e.workspace_id = current_workspace() and e.id = any(%(entities)s)
order by e.id

-- name: points
-- The scores of these entities, as pairs, where they are of this profile and of the values as they are.
select coalesce(json_agg(json_build_array(s.entity_id, s.score)), '[]') as points
from icp_score s
join entity e on e.workspace_id = s.workspace_id and e.id = s.entity_id
left join entity c on c.workspace_id = e.workspace_id and c.id = case when e.kind = 'person' then employer_of(e.id) end
where s.workspace_id = current_workspace() and s.entity_id = any(%(entities)s) and s.version = %(version)s
  and s.employer_id is not distinct from c.id and s.winners_changed = e.winners_changed + coalesce(c.winners_changed, 0)

-- name: due
-- The next entities of which something is known and whose score is of another profile or of older values.
select e.id, e.kind::text as kind, c.id as employer_id, e.winners_changed + coalesce(c.winners_changed, 0) as winners_changed
from entity e
left join entity c on c.workspace_id = e.workspace_id and c.id = case when e.kind = 'person' then employer_of(e.id) end
left join icp_score s on s.workspace_id = e.workspace_id and s.entity_id = e.id and s.version = %(version)s
  and s.employer_id is not distinct from c.id and s.winners_changed = e.winners_changed + coalesce(c.winners_changed, 0)
where e.workspace_id = current_workspace() and e.id > %(after)s and e.merged_into is null and e.kind::text = any(%(kinds)s)
  and s.entity_id is null
  and exists (select from entity_field f where f.workspace_id = e.workspace_id and f.entity_id in (e.id, c.id))
order by e.id limit %(n)s

-- name: values
-- What is known of these entities, of the fields that the profile looks at.
select entity_id, field, value, confidence from entity_field
where workspace_id = current_workspace() and entity_id = any(%(entities)s) and field = any(%(fields)s)

-- name: keep
-- New scores, in id order; one by a newer profile stays.
insert into icp_score as s (workspace_id, entity_id, version, score, certainty, reasons, employer_id, winners_changed)
select current_workspace(), a.entity_id, %(version)s, a.score, a.certainty, a.reasons, a.employer_id, a.winners_changed
from jsonb_to_recordset(%(scores)s) as a(entity_id bigint, score smallint, certainty smallint, reasons jsonb,
  employer_id bigint, winners_changed bigint)
order by a.entity_id
on conflict (workspace_id, entity_id) do update set version = excluded.version, score = excluded.score,
  certainty = excluded.certainty, reasons = excluded.reasons, employer_id = excluded.employer_id,
  winners_changed = excluded.winners_changed, scored_at = excluded.scored_at
where s.version <= excluded.version

-- name: scores
-- Scores in the order of entities, with what leads to each.
select s.entity_id, e.kind::text as kind, s.score, s.certainty, s.reasons,
       array(select k.scheme || ':' || k.key from entity_key k where k.workspace_id = s.workspace_id and k.entity_id = s.entity_id
             order by k.scheme, k.key) as keys
from icp_score s join entity e on e.workspace_id = s.workspace_id and e.id = s.entity_id
where s.workspace_id = current_workspace() and s.entity_id > %(after)s and s.version = %(version)s and e.merged_into is null
order by s.entity_id limit %(n)s
