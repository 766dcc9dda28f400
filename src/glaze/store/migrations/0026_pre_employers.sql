-- Who a person works for, so that a person is scored with the employer's fields, and what each score was derived of.

alter table entity add column employer_id bigint;    -- of a person: the company that an enrichment named beside it
alter table icp_score add column employer_id bigint; -- whose company fields counted
alter table icp_score add column merged_at timestamptz;  -- the later merge of the two; null: it has to be derived again

-- The stored company that a person works for: at the domain that its values name, else the one that was named beside it.
create function employer_of(person bigint) returns bigint language sql stable set search_path = glaze, pg_temp as $$
  select coalesce(c.merged_into, c.id)
  from (
    select 1 as rank, k.entity_id as id from entity_field f
    join entity_key k on k.workspace_id = f.workspace_id and k.kind = 'company' and k.scheme = 'domain' and k.key = f.value #>> '{}'
    where f.workspace_id = current_workspace() and f.entity_id = person and f.field = 'person_company_domain'
    union all
    select 2, p.employer_id from entity p where p.workspace_id = current_workspace() and p.id = person
  ) found
  join entity c on c.workspace_id = current_workspace() and c.id = found.id
  order by found.rank limit 1
$$;
