-- An alert where many jobs of a kind die, once an hour.

create table dead_alert (
  workspace_id bigint not null references workspace,
  kind        text not null,
  raised_at   timestamptz not null,         -- when its last alert was raised
  primary key (workspace_id, kind)
);
alter table dead_alert enable row level security;
alter table dead_alert force row level security;
create policy workspace_only on dead_alert to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
create policy whole_fleet on dead_alert to glaze_queue using (true) with check (true);
grant select on dead_alert to glaze_app;
grant select, insert, update, delete on dead_alert to glaze_queue;
-- what died lately, however much died before
create index job_died on job (finished_at) where state = 'dead';
