-- name: unplaced
-- Rows of one stretch of which it was not worked out yet whom they name.
select row_no, input, xmin::text as version from batch_row
where workspace_id = current_workspace() and batch_id = %(batch)s and row_no > %(after)s and row_no <= %(until)s and places is null

-- name: place
-- Keep whom rows name. One that was changed since it was read stays as it is, and one that somebody writes is passed over.
with free as materialized (
  select row_no from batch_row
  where workspace_id = current_workspace() and batch_id = %(batch)s and places is null
    and row_no = any(array(select row_no from json_to_recordset(%(rows)s::json) as g(row_no int)))
  order by row_no for no key update skip locked
)
update batch_row r set places = g.places
from json_to_recordset(%(rows)s::json) as g(row_no int, version text, places jsonb)
where r.workspace_id = current_workspace() and r.batch_id = %(batch)s and r.row_no = any(array(select row_no from free))
  and r.row_no = g.row_no and r.xmin::text = g.version and r.places is null

-- name: alone
-- Other processes would have to be handed every result whole: that takes longer than to look at it.
set local max_parallel_workers_per_gather = 0

-- name: rows
-- Rows of one stretch that meet criteria, each with its key to sort by and what it says. A cell is what ``cells_of`` makes
-- of it: the winner where a person decided it, where it is newer than what the row's own job found, or where that job was
-- not asked for it; else what the job found. Whom a row means is decided as ``EntityStore.peek`` decides it: the strongest
-- key that leads anywhere, unless a stronger one objects; nearly always that is the first. What an index is asked for is
-- taken out of JSON behind an OFFSET: row level security lets it be asked for plain columns alone.
select coalesce(json_agg(json_build_array(r.row_no,
  case %(by)s
    when 'state' then to_jsonb(s.state)
    when 'input' then r.input -> %(name)s
    when 'carried' then r.carried -> %(name)s
    when 'value' then c.cells -> %(name)s -> 'value'
    when 'confidence' then c.cells -> %(name)s -> 'confidence'
    when 'icp' then json_build_object(
      'subject', case when p.all_of ? 'person' then coalesce(person.entity_id, weaker.person) else coalesce(company.entity_id, weaker.company) end,
      'own', x.body -> 'icp' -> 'score')::jsonb
  end,
  case when %(says)s then (
    select jsonb_agg(t.said) from (
      select i.value as said from jsonb_each(case when jsonb_typeof(r.input) = 'object' then r.input end) i
      union all
      select i.value from jsonb_each(r.carried) i
      union all
      select c.cells -> f.name -> 'value' from unnest(%(searched)s::text[]) f(name) where c.cells ? f.name
    ) t)
  end) order by r.row_no), '[]') as found
from batch_row r
join batch b on b.workspace_id = r.workspace_id and b.id = r.batch_id
cross join lateral (
  select case when b.state = 'cancelled' and r.state = 'new' then 'cancelled' else r.state::text end as state) s
left join result x on x.workspace_id = r.workspace_id and x.id = r.result_id and %(looks)s
left join lateral (
  select x.body -> 'data' as data, x.body -> 'missing' as missing, (x.body ->> 'timestamp')::timestamptz as at
  where %(looks)s and x.body ? 'status' and x.body ->> 'timestamp' ~ '^\d{4}-\d\d-\d\dT' and jsonb_typeof(x.body -> 'data') = 'object'
  offset 0
) j on true
left join lateral (
  select coalesce(r.places, %(placed)s::jsonb -> r.row_no::text) as all_of where %(looks)s offset 0) p on true
left join lateral (
  select p.all_of -> 'company' -> 0 ->> 0 as scheme, p.all_of -> 'company' -> 0 ->> 1 as key
  where 'company' = any(%(kinds)s::text[]) offset 0) pc on true
left join entity_key company on company.workspace_id = current_workspace()
  and (company.kind, company.scheme, company.key) = ('company', pc.scheme, pc.key)
left join lateral (
  select p.all_of -> 'person' -> 0 ->> 0 as scheme, p.all_of -> 'person' -> 0 ->> 1 as key
  where 'person' = any(%(kinds)s::text[]) offset 0) pp on true
left join entity_key person on person.workspace_id = current_workspace()
  and (person.kind, person.scheme, person.key) = ('person', pp.scheme, pp.key)
left join lateral (
  with place as materialized (
    select k.kind, e.place ->> 0 as scheme, e.place ->> 1 as key, e.n
    from unnest(%(kinds)s::text[]) k(kind)
    cross join lateral jsonb_array_elements(p.all_of -> k.kind) with ordinality e(place, n)
    where case k.kind when 'company' then company.entity_id is null else person.entity_id is null end
  )
  select max(led.entity_id) filter (where led.kind = 'company') as company,
    max(led.entity_id) filter (where led.kind = 'person') as person
  from (
    select distinct on (place.kind) place.kind, way.entity_id
    from place join entity_key way on way.workspace_id = current_workspace()
      and (way.kind::text, way.scheme, way.key) = (place.kind, place.scheme, place.key)
    where not exists (
      select from place stronger
      where stronger.kind = place.kind and stronger.n < place.n and stronger.scheme = any(%(strong)s::text[])
        and exists (
          select from entity_key own where own.workspace_id = current_workspace() and own.entity_id = way.entity_id
            and own.scheme = stronger.scheme)
        and not exists (
          select from entity_key own where own.workspace_id = current_workspace() and own.entity_id = way.entity_id
            and (own.scheme, own.key) = (stronger.scheme, stronger.key)))
    order by place.kind, place.n
  ) led
  where company.entity_id is null and jsonb_array_length(p.all_of -> 'company') > 1 and 'company' = any(%(kinds)s)
    or person.entity_id is null and jsonb_array_length(p.all_of -> 'person') > 1 and 'person' = any(%(kinds)s)
) weaker on true
left join lateral (
  select jsonb_object_agg(w.field, jsonb_build_object('value', w.value, 'confidence', w.confidence,
      'source', coalesce(o.provider, 'user'), 'alternatives', w.alternatives)) as cells
  from entity_field w
  left join observation o on o.workspace_id = w.workspace_id and o.id = w.observation_id
  where w.workspace_id = current_workspace() and w.entity_id in (company.entity_id, person.entity_id, weaker.company, weaker.person)
    and w.field = any(%(fields)s::text[])
    and (w.observation_id is null
      or (j.data is not null and (w.retrieved_at > j.at or not (j.data ? w.field or coalesce(j.missing ? w.field, false)))))
) e on true
cross join lateral (
  select case when e.cells is null then coalesce(j.data, '{}') else coalesce(j.data, '{}') || e.cells end as cells offset 0) c
where r.workspace_id = current_workspace() and r.batch_id = %(batch)s and r.row_no > %(after)s and r.row_no <= %(until)s
  and (%(states)s::text[] = '{}' or s.state = any(%(states)s))
  and (%(traits)s::text[] = '{}' and %(sources)s::text[] = '{}' or exists (
    select from unnest(%(searched)s::text[]) f(name)
    cross join lateral (select c.cells -> f.name as cell) v
    where (%(sources)s::text[] = '{}' or v.cell ->> 'source' = any(%(sources)s))
      and (%(traits)s::text[] = '{}'
        or v.cell is null and 'missing' = any(%(traits)s)
        or v.cell is not null and ('found' = any(%(traits)s)
          or 'low' = any(%(traits)s) and (v.cell -> 'confidence')::int < %(below)s
          or 'conflicting' = any(%(traits)s) and jsonb_array_length(v.cell -> 'alternatives') > 0
          or 'decided' = any(%(traits)s) and v.cell ->> 'source' = 'user'))))
