-- How long values stay fresh for a workspace, by field; '' is every field without a longer time of its
-- own. What is not here is as the settings say.

create table fresh_time (
  workspace_id bigint not null references workspace,
  field       text not null check (length(field) <= 100),
  days        float8 not null check (days between 0 and 3650),
  set_at      timestamptz not null default clock_timestamp(),
  primary key (workspace_id, field)
);

alter table fresh_time enable row level security;
alter table fresh_time force row level security;
create policy workspace_only on fresh_time to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update, delete on fresh_time to glaze_app;
