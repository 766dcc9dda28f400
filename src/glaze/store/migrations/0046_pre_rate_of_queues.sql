-- How many jobs of a queue have ended lately is counted in the order of their ends, rows of batches among them.
create index job_rate on job (queue, finished_at) where finished_at is not null;
