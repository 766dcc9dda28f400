-- Lists of jobs stay quick among millions: by state, by kind, by when they ended, by how long they took. A running job
-- is in none of these, so a claim does not write them; rows of batches are listed nowhere. States and durations are
-- the indexes' conditions, not their columns: how they are compared is not leakproof, so under row level security no
-- index is searched by them.
create index job_scheduled on job (workspace_id, id) where batch_id is null and state = 'scheduled';
create index job_pending on job (workspace_id, id) where batch_id is null and state = 'pending';
create index job_completed on job (workspace_id, id) where batch_id is null and state = 'completed';
create index job_partial on job (workspace_id, id) where batch_id is null and state = 'partial';
create index job_failed on job (workspace_id, id) where batch_id is null and state = 'failed';
create index job_cancelled on job (workspace_id, id) where batch_id is null and state = 'cancelled';
create index job_slow_10 on job (workspace_id, id) where batch_id is null and finished_at - started_at >= interval '10 seconds';
create index job_slow_60 on job (workspace_id, id) where batch_id is null and finished_at - started_at >= interval '60 seconds';
create index job_slow_600 on job (workspace_id, id) where batch_id is null and finished_at - started_at >= interval '600 seconds';
create index job_of_kind on job (workspace_id, kind, id) where batch_id is null and state <> 'processing';
create index job_ended on job (workspace_id, finished_at) where batch_id is null and finished_at is not null;
create index job_failed_at on job (workspace_id, finished_at) where batch_id is null and state = 'failed';
create index job_dead_at on job (workspace_id, finished_at) where batch_id is null and state = 'dead';

-- Tags as rows: under row level security no index of an array is used, for its operators are not leakproof.
create table job_tag (
  workspace_id bigint not null,
  tag         text not null,
  job_id      bigint not null,
  primary key (workspace_id, tag, job_id),
  foreign key (workspace_id, job_id) references job on delete cascade
);
create index job_tag_job on job_tag (workspace_id, job_id);
-- those that are there: the owner sees none of them while the policies bind it, too
alter table job no force row level security;
insert into job_tag (workspace_id, tag, job_id)
select distinct workspace_id, unnest(tags), id from job where tags is not null;
alter table job force row level security;
alter table job_tag enable row level security;
alter table job_tag force row level security;
create policy workspace_only on job_tag to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update, delete on job_tag to glaze_app;

create function tag_job() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    delete from glaze.job_tag where workspace_id = new.workspace_id and job_id = new.id;
  end if;
  insert into glaze.job_tag (workspace_id, tag, job_id)
  select distinct new.workspace_id, t, new.id from unnest(new.tags) as t;
  return null;
end $$;
create trigger tagged after insert on job for each row when (new.tags is not null) execute function tag_job();
create trigger retagged after update of tags on job for each row when (new.tags is distinct from old.tags)
  execute function tag_job();

-- What arguments say, as words of their workspace, whose number after a blank no text gives: one index serves all and
-- mixes none. Arguments that are too long
-- to be read through are found by their workspace alone, which no search asks for.
create function words(workspace_id bigint, args jsonb) returns tsvector language sql immutable parallel safe cost 1000
  return array_to_tsvector(array[' ' || workspace_id]) ||
    case when octet_length(args::text) <= 100000 then jsonb_to_tsvector('pg_catalog.simple', args, '["string", "numeric"]')
         else ''::tsvector end;
create index job_args_words on job_args using gin (words(workspace_id, args)) with (fastupdate = off);

-- The owner of the tables, whom no process may become, looks words up: under a policy no text index is used.
create policy words_are_looked_up on job_args for select to glaze_migrate using (true);

-- What the index of words finds, newest first. The planner knows nothing of how rare a beginning of a word is, and
-- would rather read the table backwards.
create function indexed_jobs(own bigint, sought tsquery, below bigint, most integer) returns setof bigint
language sql stable security definer set search_path = glaze, pg_catalog, pg_temp
set enable_indexscan = off set enable_seqscan = off set max_parallel_workers_per_gather = 0 as $$
  select a.job_id from glaze.job_args a
  where a.workspace_id = own and a.job_id < below and glaze.words(a.workspace_id, a.args) @@ sought
  order by a.job_id desc limit most
$$;
revoke all on function indexed_jobs from public;

-- Jobs of this workspace whose arguments have all words of the query, or words that begin so, newest first. What is in
-- many of the latest is found by reading those; of what is in few the index knows.
create function search_jobs(query text, below bigint, most integer) returns setof bigint
language plpgsql stable security definer set search_path = glaze, pg_catalog, pg_temp as $$
declare
  own constant bigint := glaze.current_workspace();
  asked constant text := regexp_replace(plainto_tsquery('pg_catalog.simple', query)::text, '''( |$)', ''':*\1', 'g');
  sought tsquery;
  latest bigint[];
begin
  if own is null or asked = '' then
    return;
  end if;
  sought := asked::tsquery && format(''' %s''', own)::tsquery;
  select array_agg(job_id) into latest from (
    select l.job_id from (
      select a.* from glaze.job_args a where a.workspace_id = own and a.job_id < below order by a.job_id desc limit 1000) l
    where glaze.words(l.workspace_id, l.args) @@ sought limit most) l;
  if cardinality(latest) >= most then
    return query select unnest(latest);
  else
    return query select glaze.indexed_jobs(own, sought, below, most);
  end if;
end $$;
revoke all on function search_jobs from public;
grant execute on function search_jobs to glaze_app;
