-- What a person decided of a value: it outranks every source until it is taken back, and tells which sources were right.

-- confirmed: the winner is true; chosen: what another source stated is; corrected: what nobody stated is.
-- locked: the value is to stay, true or not.
create type decision_act as enum ('confirmed', 'chosen', 'corrected', 'locked');

create table decision (
  workspace_id bigint not null,
  entity_id   bigint not null,
  field       text not null,
  value       jsonb not null,
  act         decision_act not null,
  decided_by  text,
  decided_at  timestamptz not null default clock_timestamp(),
  primary key (workspace_id, entity_id, field),
  foreign key (workspace_id, entity_id) references entity on delete cascade
);
alter table decision enable row level security;
alter table decision force row level security;
create policy workspace_only on decision to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update, delete on decision to glaze_app;

-- A winner without an observation is what a person decided.
alter table entity_field alter column observation_id drop not null;
