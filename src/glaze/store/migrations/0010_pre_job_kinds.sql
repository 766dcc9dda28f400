-- A batch that a job made ends with it; a job with a webhook is followed by the delivery of its outcome.

alter table batch add column job_id bigint;  -- the job that made it and waits for it
create index batch_of_job on batch (job_id) where job_id is not null;
grant select (job_id) on batch to glaze_queue;

-- Whoever ends a job, the delivery comes in the same transaction. The result is named, not copied: it is written
-- once, and the queue role may not read it. kind, priority and attempts are those of tasks/deliver_webhook.py.
create function deliver_outcome() returns trigger language plpgsql set search_path = glaze, pg_temp as $$
declare
  now timestamptz := clock_timestamp();
  delivery bigint := nextval('job_id_seq');
begin
  insert into job (workspace_id, id, kind, state, priority, rank, due_at, max_attempts, correlation_id)
  values (new.workspace_id, delivery, 'deliver_webhook', 'pending', 2, job_rank(now, 2::smallint), now, 8,
          new.correlation_id);
  insert into job_args (workspace_id, job_id, args)
  values (new.workspace_id, delivery, jsonb_build_object(
    'url', new.webhook_url, 'type', 'job.' || new.state, 'timestamp', new.finished_at, 'result_id', new.result_id,
    'data', jsonb_build_object('job_id', new.id, 'kind', new.kind, 'state', new.state, 'error', new.error,
      'attempt', new.attempt, 'round', new.round, 'tags', coalesce(to_jsonb(new.tags), '[]'),
      'correlation_id', new.correlation_id, 'replay_of', new.replay_of, 'created_at', new.created_at,
      'started_at', new.started_at, 'finished_at', new.finished_at)));
  insert into event (workspace_id, type, job_id, data)
  values (new.workspace_id, 'enqueued', delivery, jsonb_build_object('outcome_of', new.id));
  return null;
end $$;
create trigger job_outcome after update of finished_at on job for each row
  when (new.webhook_url is not null and new.finished_at is not null and old.finished_at is null)
  execute function deliver_outcome();

-- The queue role ends jobs too (not begun in time, poison): it may write what a delivery is given, never read it.
create policy outcome_only on job_args for insert to glaze_queue with check (true);
grant insert on job_args to glaze_queue;
