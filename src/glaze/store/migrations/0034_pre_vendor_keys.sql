-- Vendors' keys of a workspace's own, encrypted by a data key that is wrapped outside the database.

create table data_key (
  workspace_id bigint primary key references workspace,
  wrapped     bytea not null,
  wrapped_by  text not null,                -- id of the key-encryption key
  created_at  timestamptz not null default clock_timestamp(),
  wrapped_at  timestamptz not null default clock_timestamp()
);
alter table data_key enable row level security;
alter table data_key force row level security;
create policy workspace_only on data_key to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update on data_key to glaze_app;

create table vendor_key (
  workspace_id bigint not null references workspace,
  provider    text not null check (length(provider) between 1 and 100),
  sealed      bytea not null,
  last_four   text not null check (length(last_four) <= 4),
  version     bigint not null,              -- a number that no other key of the provider has had
  set_at      timestamptz not null default clock_timestamp(),
  primary key (workspace_id, provider)
);
create sequence vendor_key_version;
alter table vendor_key enable row level security;
alter table vendor_key force row level security;
create policy workspace_only on vendor_key to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update, delete on vendor_key to glaze_app;
grant usage on sequence vendor_key_version to glaze_app;
