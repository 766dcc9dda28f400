-- How far sources are believed, by what was found to be true. The newest version counts; one without curves returns to
-- what the sources state.

create type calibration_origin as enum ('users', 'simulated');

create table calibration (
  workspace_id bigint not null references workspace,
  version     integer not null,
  origin      calibration_origin not null,  -- who knew what is true; never both in one version
  samples     integer not null,
  curves      jsonb not null,
  fitted_at   timestamptz not null default clock_timestamp(),
  primary key (workspace_id, version)
);
alter table calibration enable row level security;
alter table calibration force row level security;
create policy workspace_only on calibration to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update, delete on calibration to glaze_app;
