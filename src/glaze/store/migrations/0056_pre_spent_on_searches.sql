-- What earlier tries of a paid search took, so that all tries together cost at most what was paid.

alter table search add column spent_micros bigint not null default 0;  -- of tries before the last, open calls at the most they can cost
