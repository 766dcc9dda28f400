-- How well a calibration told of statements that it was not fitted to; null: of too few records to try, or an older version.
alter table calibration add column held_out jsonb;
