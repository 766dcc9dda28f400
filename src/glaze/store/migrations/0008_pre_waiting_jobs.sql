-- The sweep looks at jobs that wait; no other job ever enters this index.

create index job_waiting on job (id) where state = 'waiting';
