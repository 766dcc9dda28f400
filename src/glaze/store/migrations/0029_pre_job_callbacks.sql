-- What a job waits to be told from outside, and what it was told.

create table job_callback (
  workspace_id bigint not null,
  job_id      bigint not null,
  event       text not null check (length(event) between 1 and 100),
  wanted_until timestamptz not null,
  data        jsonb,
  arrived_at  timestamptz,
  taken_at    timestamptz,                  -- when the job first read it
  primary key (workspace_id, job_id, event),
  foreign key (workspace_id, job_id) references job on delete cascade
);
alter table job_callback enable row level security;
alter table job_callback force row level security;
create policy workspace_only on job_callback to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update, delete on job_callback to glaze_app;

-- A job that goes to wait for what has come meanwhile is due at once: who brought it held the job's row before this.
create function callback_is_there() returns trigger language plpgsql set search_path = glaze, pg_temp as $$
begin
  if exists (select from job_callback c where c.workspace_id = new.workspace_id and c.job_id = new.id
             and c.arrived_at is not null and c.taken_at is null) then
    new.due_at := clock_timestamp();
    new.rank := job_rank(new.due_at, new.priority, new.batch_id);
  end if;
  return new;
end $$;
create trigger job_called_back before update of state on job for each row
  when (new.state = 'scheduled' and old.state = 'processing') execute function callback_is_there();
