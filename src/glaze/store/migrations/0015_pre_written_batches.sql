-- The command that made a batch finds it again until its output was written. What has ended before counts as written.
alter table batch add column written_at timestamptz default now();  -- when all output of an end was written; older than finished_at: not of this one
alter table batch alter column written_at drop default;
create index batch_of_source on batch (workspace_id, source_key) where source_key is not null;
