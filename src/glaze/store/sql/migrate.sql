-- name: roles
-- Roles belong to the cluster: another database may have made them, even at this moment.
do $$
declare r text;
begin
  foreach r in array array['glaze_migrate', 'glaze_app', 'glaze_queue'] loop
    begin
      execute format('create role %I nologin noinherit nosuperuser nobypassrls', r);
    exception when duplicate_object or unique_violation then null;
    end;
    if not pg_has_role(current_user, r, 'member') or not (select rolsuper from pg_roles where rolname = current_user) then
      begin
        execute format('grant %I to current_user', r);
      exception when unique_violation then null;
      end;
    end if;
  end loop;
end $$

-- name: schema
-- The owner of everything is a role that no running process uses.
do $$
begin
  create schema if not exists glaze authorization glaze_migrate;
  grant usage on schema glaze to glaze_app, glaze_queue;
end $$

-- name: table
-- What was applied, when, and as which text.
create table if not exists schema_migration (
  version integer primary key, name text not null, checksum text not null,
  applied_at timestamptz not null default now()
)

-- name: applied
-- Versions this database knows.
select version, checksum from schema_migration order by version

-- name: record
-- One migration is done; same transaction as its statements.
insert into schema_migration (version, name, checksum) values (%s, %s, %s)

-- name: login
-- The login of running processes: it inherits nothing, so that without one of its roles it is nobody.
do $$
begin
  begin
    create role glaze_runtime login noinherit nosuperuser nocreatedb nocreaterole nobypassrls;
  exception when duplicate_object or unique_violation then null;
  end;
  grant glaze_app, glaze_queue to glaze_runtime;
end $$
