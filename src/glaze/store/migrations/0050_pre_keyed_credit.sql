-- A request whose answer was lost is sent again and gives credit, or makes a search, once.

alter table credit_entry add column request_key bytea;  -- hash of an idempotency key
create unique index credit_entry_of_request on credit_entry (workspace_id, request_key) where request_key is not null;

alter table search add column request_key bytea;
alter table search add column request_hash bytea;       -- of what was asked with it
create unique index search_of_request on search (workspace_id, request_key) where request_key is not null;
