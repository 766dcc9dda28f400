-- Rows of batches stand behind all single jobs, however long they wait: a window that aged while its batch was
-- paused, or while slots were slow, must not come before somebody who waits for an answer. Among themselves they age
-- as jobs do.
create function job_rank(due_at timestamptz, priority smallint, batch_id bigint) returns timestamptz language sql stable parallel safe
  return job_rank(due_at, priority) + case when batch_id is null then interval '0' else interval '100 years' end;

-- a row that is tried again keeps its result until there is another; what the result says stays unseen
grant select (result_id) on batch_row to glaze_queue;
