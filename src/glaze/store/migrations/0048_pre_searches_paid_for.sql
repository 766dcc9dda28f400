-- Who pays gets what was paid for, and pays for what was got: a payment counts once, whatever tells of it.

alter table search add column served integer not null default 0 check (served >= 0);  -- contacts enriched in a try that was broken off

-- One checkout is told of by several events.
alter table payment add column checkout_id text check (length(checkout_id) between 1 and 255);
create unique index payment_of_checkout on payment (workspace_id, checkout_id) where checkout_id is not null;
