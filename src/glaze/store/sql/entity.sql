-- name: find
-- Entities that any of these keys leads to.
select a.kind, a.scheme, a.key, k.entity_id
from jsonb_to_recordset(%(keys)s) as a(kind entity_kind, scheme text, key text)
join entity_key k on k.workspace_id = current_workspace() and (k.kind, k.scheme, k.key) = (a.kind, a.scheme, a.key)

-- name: recall
-- Entities that any of these keys leads to, each with its stored winners as ``cached`` has them: one look at all.
select a.kind, a.scheme, a.key, k.entity_id, f.field, f.value, f.confidence, f.retrieved_at, f.alternatives,
       o.id as observation_id, coalesce(o.provider, 'user') as provider, o.source_url, o.quote, o.raw, o.call_id,
       coalesce(o.cost_micros, 0) as cost_micros, coalesce(o.confidence, f.confidence) as own_confidence, c.job_id
from jsonb_to_recordset(%(keys)s) as a(kind entity_kind, scheme text, key text)
join entity_key k on k.workspace_id = current_workspace() and (k.kind, k.scheme, k.key) = (a.kind, a.scheme, a.key)
left join entity_field f on f.workspace_id = current_workspace() and f.entity_id = k.entity_id
left join observation o on o.workspace_id = f.workspace_id and o.id = f.observation_id
left join call c on c.workspace_id = o.workspace_id and c.id = o.call_id

-- name: keys_of
-- The keys of some schemes that lead to these entities.
select entity_id, scheme, key from entity_key
where workspace_id = current_workspace() and entity_id = any(%(entities)s) and scheme = any(%(schemes)s)

-- name: make
-- New entities, in the order of their kinds.
insert into entity (workspace_id, kind)
select current_workspace(), k::entity_kind from unnest(%(kinds)s::text[]) with ordinality as a(k, ord) order by ord
returning id

-- name: claim_keys
-- Lead keys to their entities; a key that leads elsewhere already keeps its way.
insert into entity_key (workspace_id, kind, scheme, key, entity_id)
select current_workspace(), a.kind::entity_kind, a.scheme, a.key, a.entity_id
from jsonb_to_recordset(%(keys)s) as a(kind text, scheme text, key text, entity_id bigint)
order by a.kind, a.scheme, a.key
on conflict do nothing

-- name: lock_to_merge
-- Two entities that are about to become one. Waits for calls that are being settled for either.
select id, merged_into from entity where workspace_id = current_workspace() and id = any(%(entities)s)
order by id for update

-- name: inherit
-- The older answers from the cache with the younger's winners, too: of one field with the surer one, until
-- the next merge of its values weighs them all.
insert into entity_field as f (workspace_id, entity_id, field, value, confidence, observation_id, retrieved_at, alternatives)
select workspace_id, %(into)s, field, value, confidence, observation_id, retrieved_at, alternatives
from entity_field where workspace_id = current_workspace() and entity_id = %(from)s
order by field
on conflict (workspace_id, entity_id, field) do update set value = excluded.value, confidence = excluded.confidence,
  observation_id = excluded.observation_id, retrieved_at = excluded.retrieved_at, alternatives = excluded.alternatives
where (excluded.confidence, excluded.retrieved_at) > (f.confidence, f.retrieved_at)

-- name: inherit_decisions
-- What was decided of the younger holds for the older; of one field the later decision.
insert into decision as d (workspace_id, entity_id, field, value, act, decided_by, decided_at)
select workspace_id, %(into)s, field, value, act, decided_by, decided_at
from decision where workspace_id = current_workspace() and entity_id = %(from)s
order by field
on conflict (workspace_id, entity_id, field) do update set value = excluded.value, act = excluded.act,
  decided_by = excluded.decided_by, decided_at = excluded.decided_at
where excluded.decided_at > d.decided_at

-- name: repoint
-- What belonged to the younger belongs to the older now. The younger stays, for calls under way know
-- it by its id.
with moved_keys as (
  update entity_key set entity_id = %(into)s where workspace_id = current_workspace() and entity_id = %(from)s
), employed as (
  update entity older set employer_id = coalesce(older.employer_id, younger.employer_id) from entity younger
  where older.workspace_id = current_workspace() and older.id = %(into)s
    and younger.workspace_id = older.workspace_id and younger.id = %(from)s and younger.employer_id is not null
), left_behind as (
  update entity set merged_into = %(into)s where workspace_id = current_workspace() and (id = %(from)s or merged_into = %(from)s)
), decided as (
  delete from decision where workspace_id = current_workspace() and entity_id = %(from)s
), derived as (
  delete from entity_field where workspace_id = current_workspace() and entity_id = %(from)s
)
update observation set entity_id = %(into)s where workspace_id = current_workspace() and entity_id = %(from)s

-- name: hold_homes
-- Entities and those they were merged into: none of them is merged until we commit.
select id, merged_into from entity where workspace_id = current_workspace() and (id = any(%(entities)s)
  or id = any(array(select merged_into from entity where workspace_id = current_workspace() and id = any(%(entities)s))))
order by id for key share

-- name: forget
-- Entities that were made for nothing: somebody else was quicker.
delete from entity where workspace_id = current_workspace() and id = any(%(entities)s)

-- name: cached
-- The stored winners of these fields, with the observation each rests on; what a person decided rests on none.
select f.entity_id, f.field, f.value, f.confidence, f.retrieved_at, f.alternatives,
       o.id as observation_id, coalesce(o.provider, 'user') as provider, o.source_url, o.quote, o.raw, o.call_id,
       coalesce(o.cost_micros, 0) as cost_micros, coalesce(o.confidence, f.confidence) as own_confidence, c.job_id
from entity_field f
left join observation o on o.workspace_id = f.workspace_id and o.id = f.observation_id
left join call c on c.workspace_id = o.workspace_id and c.id = o.call_id
where f.workspace_id = current_workspace() and f.entity_id = any(%(entities)s)

-- name: cached_since
-- Of the stored winners as ``cached`` has them those of some fields that a person decided, that are newer than a
-- moment, or whose field is wanted whatever its age.
select f.entity_id, f.field, f.value, f.confidence, f.retrieved_at, f.alternatives,
       o.id as observation_id, coalesce(o.provider, 'user') as provider, o.source_url, o.quote, o.raw, o.call_id,
       coalesce(o.cost_micros, 0) as cost_micros, coalesce(o.confidence, f.confidence) as own_confidence, c.job_id
from entity_field f
left join observation o on o.workspace_id = f.workspace_id and o.id = f.observation_id
left join call c on c.workspace_id = o.workspace_id and c.id = o.call_id
where f.workspace_id = current_workspace() and f.entity_id = any(%(entities)s) and f.field = any(%(fields)s)
  and (f.observation_id is null or f.retrieved_at > %(since)s or f.field = any(%(always)s))

-- name: observations
-- What sources state of these entities, for the merge: of a question that was asked again what was last said of each field.
select id, entity_id, field, value, raw, confidence, provider, source_url, quote, call_id, cost_micros, retrieved_at, job_id
from (
  select o.*, c.job_id, c.generation,
         max(c.generation) over (partition by o.entity_id, o.field, c.question_id) as last_said
  from observation o join call c on c.workspace_id = o.workspace_id and c.id = o.call_id
  where o.workspace_id = current_workspace() and o.entity_id = any(%(entities)s)) as stated
where generation = last_said
order by id

-- name: hold_call
-- What a call stated is read once nobody is at reading its answer again.
select id from call where workspace_id = current_workspace() and id = %(call)s for key share

-- name: decisions
-- What a person decided of these entities.
select entity_id, field, value, act, decided_by, decided_at from decision
where workspace_id = current_workspace() and entity_id = any(%(entities)s)

-- name: decide
-- The later decision replaces the earlier one.
insert into decision (workspace_id, entity_id, field, value, act, decided_by)
values (current_workspace(), %(entity)s, %(field)s, %(value)s, %(act)s, %(by)s)
on conflict (workspace_id, entity_id, field) do update
  set value = excluded.value, act = excluded.act, decided_by = excluded.decided_by, decided_at = excluded.decided_at

-- name: undecide
-- From here on the sources speak again.
delete from decision where workspace_id = current_workspace() and entity_id = %(entity)s and field = %(field)s
returning field

-- name: adopt
-- An answer that was bought for one entity also speaks of ours: the same call, at no cost. Copied
-- from the entity it was bought for, not from other copies.
with ours as materialized (
  select a.prefix, coalesce(e.merged_into, e.id) as entity_id
  from jsonb_to_recordset(%(entities)s) as a(prefix text, entity_id bigint)
  join entity e on e.workspace_id = current_workspace() and e.id = a.entity_id
  order by e.id for key share of e
)
insert into observation (workspace_id, entity_id, call_id, field, value, raw, confidence, provider, source_url, quote, cost_micros, retrieved_at)
select o.workspace_id, a.entity_id, o.call_id, o.field, o.value, o.raw, o.confidence, o.provider, o.source_url, o.quote, 0, o.retrieved_at
from ours a
cross join lateral (
  select entity_id from observation first
  where first.workspace_id = current_workspace() and first.call_id = %(call)s and starts_with(first.field, a.prefix)
  order by first.id limit 1
) bought_for
join observation o on o.workspace_id = current_workspace() and o.call_id = %(call)s
  and o.entity_id = bought_for.entity_id and starts_with(o.field, a.prefix)
where bought_for.entity_id <> a.entity_id
  and not exists (select from observation twin where twin.workspace_id = o.workspace_id and twin.call_id = o.call_id
                  and twin.entity_id = a.entity_id)

-- name: readings_of_call
-- What one call brought, for the entities given.
select field, value, raw, confidence, source_url, quote from observation
where workspace_id = current_workspace() and call_id = %(call)s and entity_id in (
  select coalesce(merged_into, id) from entity where workspace_id = current_workspace() and id = any(%(entities)s))
order by id

-- name: lock_entities
-- The merge of an entity's values is one at a time, in id order; observations may come in meanwhile.
select id, merged_into from entity where workspace_id = current_workspace() and id = any(%(entities)s)
order by id for no key update

-- name: keep_winners
-- The new winners, in field order.
insert into entity_field as f (workspace_id, entity_id, field, value, confidence, observation_id, retrieved_at, alternatives)
select current_workspace(), a.entity_id, a.field, a.value, a.confidence, a.observation_id, a.retrieved_at, a.alternatives
from jsonb_to_recordset(%(winners)s) as a(entity_id bigint, field text, value jsonb, confidence smallint, observation_id bigint,
  retrieved_at timestamptz, alternatives jsonb)
order by a.entity_id, a.field
on conflict (workspace_id, entity_id, field) do update set value = excluded.value, confidence = excluded.confidence,
  observation_id = excluded.observation_id, retrieved_at = excluded.retrieved_at, alternatives = excluded.alternatives
where (f.value, f.confidence, f.observation_id, f.alternatives)
  is distinct from (excluded.value, excluded.confidence, excluded.observation_id, excluded.alternatives)

-- name: clear_losers
-- Fields that the merge no longer fills.
delete from entity_field where workspace_id = current_workspace() and entity_id = any(%(entities)s) and not (entity_id, field) in
  (select a.entity_id, a.field from jsonb_to_recordset(%(winners)s) as a(entity_id bigint, field text))

-- name: note_merge
-- Up to when ages were counted: as of that moment the same winners can be derived again. And who a person works for.
update entity e set merged_at = a.at, employer_id = coalesce(a.employer_id, e.employer_id)
from (select id, max(at) as at, max(employer_id) as employer_id
      from jsonb_to_recordset(%(moments)s) as m(id bigint, at timestamptz, employer_id bigint) group by id order by id) a
where e.workspace_id = current_workspace() and e.id = a.id
  and (e.merged_at, e.employer_id) is distinct from (a.at, coalesce(a.employer_id, e.employer_id))
