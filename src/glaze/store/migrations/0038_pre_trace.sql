-- The span that a job was asked for in, as W3C's traceparent has it; read with the arguments, so that
-- the row that is claimed stays narrow. Null where nothing is traced.
alter table job_args add column traceparent text;
