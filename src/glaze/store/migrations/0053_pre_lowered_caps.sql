-- A cap that is lowered below what is committed is clamped there, but nothing more is reserved until it fits below what
-- was meant: what is given back of the reservations is not for others.

alter table budget add column meant_micros bigint;  -- the cap as it was last set; null: not since this migration
