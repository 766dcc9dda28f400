-- The last event that retention took from a workspace: a reader who stands before it has missed something.
create table event_horizon (
  workspace_id bigint primary key references workspace,
  xid          xid8 not null,
  id           bigint not null
);
alter table event_horizon enable row level security;
alter table event_horizon force row level security;
create policy workspace_only on event_horizon to glaze_app
  using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update on event_horizon to glaze_app;
