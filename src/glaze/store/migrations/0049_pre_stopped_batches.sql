-- When a batch was stopped: what was spent since then can be told.
alter table batch add column cancelled_at timestamptz;
