-- Calls under way at one vendor, counted across the whole fleet. No workspace in them: as with limits,
-- a cap belongs to a provider's credential.

-- A cap of n calls is n seats. A process holds one until its lease ends, and renews it meanwhile: what a
-- dead process held comes free by itself.
create table vendor_seat (
  provider    text not null,
  credential  text not null,
  seat        integer not null check (seat > 0),
  holder      uuid,                                     -- the process that holds it, or held it last
  until       timestamptz not null default '-infinity', -- its lease; in the past: free
  primary key (provider, credential, seat)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);

-- What each process wants: seats are shared among those that want any.
create table seat_claim (
  provider    text not null,
  credential  text not null,
  holder      uuid not null,
  wanted      integer not null check (wanted > 0),
  since       timestamptz not null,     -- who waits longer comes first
  until       timestamptz not null,     -- it is said again while it holds
  primary key (provider, credential, holder)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.1);

grant select, insert, update, delete on vendor_seat, seat_claim to glaze_queue;
grant select on vendor_seat, seat_claim to glaze_app;
