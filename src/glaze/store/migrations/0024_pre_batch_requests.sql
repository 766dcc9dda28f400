-- A batch that was sent over HTTP: its name and tags, and which request made it, so that the same request finds it again.
alter table batch add column name text;
alter table batch add column tags text[] not null default '{}';
alter table batch add column request_key bytea;   -- hash of the caller's idempotency key, or random
alter table batch add column request_hash bytea;  -- of the content and the options
create unique index batch_of_request on batch (workspace_id, request_key) where request_key is not null;
