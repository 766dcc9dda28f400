-- Of some jobs those whose arguments have all words of the query, or words that begin so: for who found them by
-- something else and need not look the words up among all there are.
create function jobs_with(query text, among bigint[]) returns setof bigint
language plpgsql stable set search_path = glaze, pg_catalog, pg_temp as $$
declare
  own constant bigint := glaze.current_workspace();
  asked constant text := regexp_replace(plainto_tsquery('pg_catalog.simple', query)::text, '''( |$)', ''':*\1', 'g');
begin
  if own is null or asked = '' then
    return;
  end if;
  return query select a.job_id from unnest(among) as one
    join glaze.job_args a on a.workspace_id = own and a.job_id = one
    where glaze.words(a.workspace_id, a.args) @@ asked::tsquery;
end $$;
