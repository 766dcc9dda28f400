-- The ideal customer profile of a workspace, and how well its entities fit it.

create table icp (
  workspace_id bigint primary key references workspace,
  version     integer not null,
  profile     jsonb not null,
  set_at      timestamptz not null default clock_timestamp()
);

-- Derived from entity_field by one version of the profile; older ones wait to be derived again.
create table icp_score (
  workspace_id bigint not null,
  entity_id   bigint not null,
  version     integer not null,
  score       smallint check (score between 0 and 100),  -- null: nothing that counts is known
  certainty   smallint not null check (certainty between 0 and 100),
  reasons     jsonb not null,
  scored_at   timestamptz not null default clock_timestamp(),
  primary key (workspace_id, entity_id),
  foreign key (workspace_id, entity_id) references entity on delete cascade
);

do $$
declare t text;
begin
  foreach t in array array['icp', 'icp_score'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy workspace_only on %I to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace())', t);
    execute format('grant select, insert, update, delete on %I to glaze_app', t);
  end loop;
end $$;
