-- name: matching
-- What a filter asks for; it stands in the statements below at {matching}. A criterion that is null asks for nothing.
j.workspace_id = current_workspace() and j.batch_id is null
  and (%(ids)s::bigint[] is null or j.id = any(%(ids)s::bigint[]))
  and (%(states)s::job_state[] is null or j.state = any(%(states)s::job_state[]))
  and (%(kinds)s::text[] is null or j.kind = any(%(kinds)s::text[]))
  and (%(kinds_not)s::text[] is null or j.kind <> all(%(kinds_not)s::text[]))
  and (%(queues)s::text[] is null or j.queue = any(%(queues)s::text[]))
  and (%(tags_any)s::text[] is null or j.tags && %(tags_any)s::text[])
  and (%(tags_all)s::text[] is null or j.tags @> %(tags_all)s::text[])
  and (%(created_after)s::timestamptz is null or j.created_at >= %(created_after)s::timestamptz)
  and (%(created_before)s::timestamptz is null or j.created_at < %(created_before)s::timestamptz)
  and (%(finished_after)s::timestamptz is null or j.finished_at >= %(finished_after)s::timestamptz)
  and (%(finished_before)s::timestamptz is null or j.finished_at < %(finished_before)s::timestamptz)
  and (%(error_code)s::text is null or split_part(j.error, ': ', 1) = %(error_code)s::text)
  and (%(slower_s)s::float8 is null or j.finished_at - j.started_at >= make_interval(secs => %(slower_s)s::float8))
  and (%(text)s::text is null or j.id in (select search_jobs(%(text)s::text, 9223372036854775807, null)))

-- name: page
-- Newest first, below an id.
select j.* from job j
where {matching} and j.id < %(before)s
order by j.id desc limit %(n)s

-- name: page_of_state
-- The same of one state, which is written out at {state}: an index for some states alone is used for a state it can read.
(select j.* from job j
where {matching} and j.state = '{state}' and j.id < %(before)s
order by j.id desc limit %(n)s)

-- name: page_of_states
-- Such parts, put together.
select p.* from ({parts}) p order by p.id desc limit %(n)s

-- name: page_of_kinds
-- The same of some kinds, each read in the order of an index. What runs is in none of them, and is not much.
select p.* from (
  (select own.* from unnest(%(kinds)s::text[]) as k cross join lateral (
    select j.* from job j
    where {matching} and j.kind = k and j.state <> 'processing' and j.id < %(before)s
    order by j.id desc limit %(n)s) own)
  union all
  (select j.* from job j where {matching} and j.state = 'processing' and j.id < %(before)s order by j.id desc limit %(n)s)
) p order by p.id desc limit %(n)s

-- name: page_of_tag
-- The same of jobs with one tag, which the planner reads: it may be rare, or everywhere.
select j.* from job_tag t join job j on j.workspace_id = t.workspace_id and j.id = t.job_id
where t.workspace_id = current_workspace() and t.tag = %(tag)s and t.job_id < %(before)s and {matching}
order by t.job_id desc limit %(n)s

-- name: page_of_tags
-- The same of jobs with one of some tags.
select distinct on (p.id) p.* from unnest(%(tags)s::text[]) as g cross join lateral (
  select j.* from job_tag t join job j on j.workspace_id = t.workspace_id and j.id = t.job_id
  where t.workspace_id = current_workspace() and t.tag = g and t.job_id < %(before)s and {matching}
  order by t.job_id desc limit %(n)s) p
order by p.id desc limit %(n)s

-- name: found
-- What a search finds, newest first, below an id.
select search_jobs(%(text)s, %(before)s, %(most)s) as id

-- name: with_words
-- Those of some jobs that a search means.
select jobs_with(%(text)s, %(among)s::bigint[]) as id

-- name: some
-- All of them, as far as a bound; {state} as above.
(select from job j where {matching} {state} limit %(most)s)

-- name: foreseen
-- How many there are and what it would cost to count them, as the planner thinks.
explain (format json) {parts}

-- name: counted
-- How many there are, as far as the bounds.
select count(*) as jobs from ({parts}) j

-- name: tally
-- How many, by state, kind and code of the last error.
select j.state, j.kind, split_part(j.error, ': ', 1) as code, count(*) as jobs,
       min(j.finished_at) as first_at, max(j.finished_at) as last_at
from job j where {matching}
group by 1, 2, 3 order by count(*) desc, j.kind, 3

-- name: bounds
-- Between which ids a workspace's jobs lie.
select min(id) as first, max(id) as last from job where workspace_id = current_workspace()

-- name: pick
-- The next of a bulk action.
select j.id from job j
where {matching} and j.id > %(after)s and j.id <= %(upto)s order by j.id limit %(n)s

-- name: hold
-- Named jobs, held until what is done to them is written: in the order in which ends lock, their own jobs first, then
-- the successors. What changed while it was waited for is judged as it is now.
select j.id, j.state, j.result_id, j.priority, j.due_at, j.tags, j.webhook_url from job j
where {matching} order by j.state = 'waiting', j.id for update

-- name: originals
-- What a replay repeats.
select j.id, j.kind, j.queue, j.priority, j.max_attempts, j.correlation_id, j.tags, j.webhook_url, a.args
from job j join job_args a on a.workspace_id = j.workspace_id and a.job_id = j.id
where j.workspace_id = current_workspace() and j.id = any(%(jobs)s::bigint[]) order by j.id

-- name: change
-- Of what no worker holds: its place in the queue, when it is due, its labels. Null leaves a thing as it is.
with wanted as materialized (
  select now, case when due_at is not null then greatest(due_at, now) end as due_at
  from (select clock_timestamp() as now, %(due_at)s::timestamptz as due_at) given
), hit as (
  update job j set
    priority = coalesce(%(priority)s::smallint, j.priority),
    due_at = coalesce(w.due_at, j.due_at),
    rank = job_rank(coalesce(w.due_at, j.due_at), coalesce(%(priority)s::smallint, j.priority), j.batch_id),
    state = case when w.due_at is null or j.state = 'waiting' then j.state
                 when w.due_at > w.now then 'scheduled' else 'pending' end,
    tags = coalesce(%(tags)s::text[], j.tags),
    webhook_url = nullif(coalesce(%(webhook_url)s::text, j.webhook_url), '')
  from wanted w
  where j.workspace_id = current_workspace() and j.id = any(%(jobs)s::bigint[])
    and j.state in ('waiting', 'scheduled', 'pending')
  returning j.id, j.state, j.queue, j.rank
), logged as (
  insert into event (workspace_id, type, job_id, data)
  select current_workspace(), 'changed', id, %(data)s::jsonb from hit
)
select id, state, queue, case when state = 'pending' then rank end as rank from hit

-- name: purge
-- Jobs at their end, with arguments (by the key that points here), result and log. One stays while a successor that has
-- not ended may want its result. What was asked and paid stays in the ledger.
with gone as (
  delete from job j
  where j.workspace_id = current_workspace() and j.id = any(%(jobs)s::bigint[]) and j.batch_id is null
    and j.state in ('completed', 'partial', 'failed', 'dead', 'cancelled')
    and not exists (
      select from job_edge e join job c on c.workspace_id = e.workspace_id and c.id = e.child_id
      where e.parent_id = j.id and c.state in ('waiting', 'scheduled', 'pending', 'processing'))
  returning j.id, j.state, j.result_id
), edges as (
  delete from job_edge e where e.parent_id = any(%(jobs)s::bigint[]) and e.parent_id in (select id from gone)
), results as (
  delete from result r where r.workspace_id = current_workspace() and r.id = any(%(results)s::bigint[])
    and r.id in (select result_id from gone)
), events as (
  delete from event e where e.workspace_id = current_workspace() and e.job_id = any(%(jobs)s::bigint[])
    and e.job_id in (select id from gone)
), logged as (
  insert into event (workspace_id, type, data)
  select current_workspace(), 'purged', jsonb_build_object('jobs', count(*), 'first', min(id), 'last', max(id))
  from gone having count(*) > 0
)
select id, state from gone
