-- Rate limits and circuits, held across the whole fleet. No workspace in them: a limit belongs to a
-- provider's credential, an outage to its base URL.

-- A window of n calls is n slots; a granted call keeps its slot until the window has passed, so no
-- sliding window ever holds more than n grants, and takers never wait for one another.
create table rate_slot (
  provider    text not null,
  credential  text not null,
  window_s    integer not null check (window_s > 0),
  slot        integer not null,
  free_at     timestamptz not null default '-infinity',
  primary key (provider, credential, window_s, slot)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);

create table circuit (
  provider    text not null,
  base_url    text not null,
  failures    integer not null default 0,   -- consecutive
  open_until  timestamptz,                  -- null: closed; in the past: one probe may go
  probe_until timestamptz,                  -- a probe is under way until then
  primary key (provider, base_url)
);

grant select, insert, update, delete on rate_slot, circuit to glaze_queue;
grant select on rate_slot, circuit to glaze_app;

grant usage on all sequences in schema glaze to glaze_app, glaze_queue;
