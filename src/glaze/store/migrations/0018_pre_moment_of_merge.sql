-- The moment up to which an entity's last merge counted ages: as of it the same winners can be derived again.
alter table entity add column merged_at timestamptz;
