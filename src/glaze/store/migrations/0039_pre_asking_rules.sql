-- How a workspace has its jobs ask, by kind of job and field; '' is every one. What is null is said elsewhere.

create table asking_rule (
  workspace_id bigint not null references workspace,
  kind        text not null check (length(kind) <= 100),
  field       text not null check (length(field) <= 100),
  ask_first   text[],
  floor       smallint check (floor between 0 and 100),
  providers   text[],
  set_at      timestamptz not null default clock_timestamp(),
  primary key (workspace_id, kind, field)
);

alter table asking_rule enable row level security;
alter table asking_rule force row level security;
create policy workspace_only on asking_rule to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update, delete on asking_rule to glaze_app;
