-- What vendors themselves say of the room they leave us, and since when and why a circuit is open.

-- How many calls may go until a moment: a vendor's own count, a pause that it asked for, a key that it
-- refused. Past that moment the row says nothing, or, with probe_s, lets one call try again.
create table vendor_room (
  provider    text not null,            -- as in rate_slot; the provider's own name where all of it is meant
  credential  text not null,
  cause       text not null,            -- pause, window, quota, credits, key
  span        text not null default '', -- which of a vendor's windows; of a key, what tells it from the next
  calls_left  integer not null check (calls_left >= 0),
  until       timestamptz not null,
  probe_s     real,                     -- others wait so long for what the one that tries finds out
  probing     boolean not null default false,  -- one is trying: what it hears replaces what stands here
  detail      text not null default '',
  since       timestamptz not null default clock_timestamp(),
  primary key (provider, credential, cause, span)
);
grant select, insert, update, delete on vendor_room to glaze_queue;
grant select on vendor_room to glaze_app;

alter table circuit add column opened_at timestamptz, add column last_error text, add column failed_at timestamptz;

-- The recent part of the ledger, for health: small, and cheap to keep in a table that only grows.
create index vendor_request_recent on vendor_request using brin (sent_at) with (pages_per_range = 16);
create index call_recent on call using brin (created_at) with (pages_per_range = 16);
