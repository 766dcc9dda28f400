-- name: put
-- Records as the caller gives them, in id order, so that two calls cannot wait for each other; what was
-- written back stays.
insert into record as r (workspace_id, kind, external_id, input)
select current_workspace(), %(kind)s, g.external_id, g.input
from json_to_recordset(%(records)s::json) as g(external_id text, input jsonb)
order by g.external_id
on conflict (workspace_id, kind, external_id) do update
  set input = excluded.input, updated_at = clock_timestamp()
  where r.input is distinct from excluded.input

-- name: get
-- Records by id; one look at the key for each.
select r.external_id, r.input, r.data, r.job_id, r.created_at, r.updated_at
from unnest(%(ids)s::text[]) as g(external_id)
cross join lateral (
  select * from record
  where workspace_id = current_workspace() and kind = %(kind)s and external_id = g.external_id limit 1) r

-- name: write_back
-- What an enrichment found, field by field over what was there; an older job that ends late changes nothing
-- that a newer one wrote.
update record set data = coalesce(data, '{}') || %(data)s, job_id = %(job)s, updated_at = clock_timestamp()
where workspace_id = current_workspace() and kind = %(kind)s and external_id = %(external_id)s
  and (job_id is null or job_id <= %(job)s)
returning external_id
