-- name: begin
-- An erasure; what the person is known by stands here only until they are erased.
insert into erasure (workspace_id, asked_by, traits) values (current_workspace(), %(by)s, %(traits)s) returning id

-- name: get
-- One erasure.
select id, asked_by, traits, removed, passes, job_id, created_at, finished_at from erasure
where workspace_id = current_workspace() and id = %(erasure)s

-- name: page
-- Erasures, the newest first.
select id, asked_by, traits, removed, passes, job_id, created_at, finished_at from erasure
where workspace_id = current_workspace() and (%(before)s::bigint is null or id < %(before)s::bigint)
order by id desc limit %(n)s

-- name: of_job
-- Who goes on with it.
update erasure set job_id = %(job)s where workspace_id = current_workspace() and id = %(erasure)s

-- name: learn
-- What else the person turned out to be known by.
update erasure set traits = %(traits)s where workspace_id = current_workspace() and id = %(erasure)s and finished_at is null

-- name: passed
-- What one pass removed, added to what earlier ones did.
update erasure e set passes = passes + 1, removed = (
  select coalesce(jsonb_object_agg(name, n), '{}') from (
    select name, sum(n) as n from (
      select key as name, value::bigint as n from jsonb_each_text(e.removed)
      union all select key, value::bigint from jsonb_each_text(%(removed)s)) both_ group by name) summed)
where workspace_id = current_workspace() and id = %(erasure)s

-- name: finish
-- Nothing of the person is left, here neither.
update erasure set traits = null, finished_at = clock_timestamp()
where workspace_id = current_workspace() and id = %(erasure)s and finished_at is null
returning id

-- name: open_transactions
-- Transactions of this database that were begun and have not ended, but for backups, which write nothing.
select l.virtualtransaction as name from pg_locks l join pg_stat_activity a on a.pid = l.pid
where l.locktype = 'virtualxid' and l.granted and a.datname = current_database() and a.usename is not null
  and l.pid <> pg_backend_pid() and a.application_name not like 'pg\_%%'

-- name: entities
-- The entities that keys lead to, those of which their address or profile was stated, and those merged into them or
-- they into.
with led as (
  select distinct k.entity_id as id
  from jsonb_to_recordset(%(keys)s) as a(scheme text, key text)
  join entity_key k on k.workspace_id = current_workspace() and k.kind = 'person' and (k.scheme, k.key) = (a.scheme, a.key)
  union
  select o.entity_id from observation o where o.workspace_id = current_workspace()
    and o.field in ('person_email', 'person_linkedin_url') and lower(o.value #>> '{}') = any(%(values)s)
)
select e.id from entity e where e.workspace_id = current_workspace() and e.kind = 'person'
  and (e.id in (select id from led) or e.merged_into in (select id from led)
    or e.id in (select m.merged_into from entity m where m.workspace_id = current_workspace() and m.id in (select id from led)))
order by e.id

-- name: keys
-- What leads to these entities.
select scheme, key from entity_key where workspace_id = current_workspace() and entity_id = any(%(entities)s) order by scheme, key

-- name: stated
-- Everything that was ever stated of them.
select field, value from entity_field where workspace_id = current_workspace() and entity_id = any(%(entities)s)
union
select field, value from observation where workspace_id = current_workspace() and entity_id = any(%(entities)s)
union
select field, value from decision where workspace_id = current_workspace() and entity_id = any(%(entities)s)

-- name: employers
-- By what their companies are known.
with employer as (
  select distinct employer_id as id from entity
  where workspace_id = current_workspace() and id = any(%(entities)s) and employer_id is not null
)
select k.key as name from entity_key k join employer e on e.id = k.entity_id
where k.workspace_id = current_workspace() and k.scheme = 'domain'
union
select f.value #>> '{}' from entity_field f join employer e on e.id = f.entity_id
where f.workspace_id = current_workspace() and f.field = 'company_name'

-- name: shared
-- Which of these are a company's own as well: a switchboard, an address of many.
select distinct lower(value #>> '{}') as value from observation
where workspace_id = current_workspace() and field in ('company_phone', 'company_email')
  and jsonb_typeof(value) = 'string' and lower(value #>> '{}') = any(%(values)s)

-- name: under_way
-- How many of these jobs workers hold, and how many calls are on the wire for them or for rows of these batches.
select (select count(*) from job where workspace_id = current_workspace() and id = any(%(jobs)s) and state = 'processing')
  + (select count(*) from call c where c.workspace_id = current_workspace() and c.state = 'sending'
     and c.deadline > clock_timestamp() and (c.job_id = any(%(jobs)s) or c.batch_id = any(%(batches)s))) as n

-- name: close_calls
-- Whoever sent these is gone, or was stopped so long that nobody waits: of what they still bring the money is kept.
update call c set erased_at = clock_timestamp()
where c.workspace_id = current_workspace() and c.state in ('sending', 'unknown') and c.deadline <= clock_timestamp()
  and c.erased_at is null and (c.job_id = any(%(jobs)s) or c.batch_id = any(%(batches)s))

-- name: calls
-- Calls about these entities: what they stated of them tells, and of one without an answer who asked it what.
select c.id, c.question_id from call c
where c.workspace_id = current_workspace() and c.id in (
  select o.call_id from observation o where o.workspace_id = current_workspace() and o.entity_id = any(%(entities)s))
union
select c.id, c.question_id from call c
join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
where c.workspace_id = current_workspace() and c.job_id = any(%(jobs)s)
  and q.provider || '.' || q.operation = any(%(operations)s)
union
select c.id, c.question_id from call c
where c.workspace_id = current_workspace() and c.asked -> 'entities' ->> 'person' = any(%(entity_texts)s)

-- name: erase_calls
-- Of calls the money stays. Which question it was is not to be told any more, and no answer is waited for.
with held as materialized (
  select q.id from question q where q.workspace_id = current_workspace() and q.id = any(%(questions)s) order by q.id for update
), unasked as (
  update question q set key = sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8'))
  from held where q.workspace_id = current_workspace() and q.id = held.id
), answers as (
  delete from answer where workspace_id = current_workspace() and call_id = any(%(calls)s) returning 1
), told as (
  delete from callback where workspace_id = current_workspace() and call_id = any(%(calls)s)
), stated as (
  delete from observation where workspace_id = current_workspace() and call_id = any(%(calls)s)
    and entity_id = any(%(entities)s)
), ended as (
  update call set erased_at = clock_timestamp(), asked = null, detail = null, handle = null,
    state = case when state = 'pending_vendor' then 'unknown' else state end
  where workspace_id = current_workspace() and id = any(%(calls)s) and erased_at is null
  returning 1
)
select (select count(*) from ended) + (select count(*) from answers) as n

-- name: erase_entities
-- The person, with what leads to them, was stated, won and was decided.
with held as materialized (
  select id from entity where workspace_id = current_workspace() and id = any(%(entities)s) order by id for update
), keys as (
  delete from entity_key where workspace_id = current_workspace() and entity_id in (select id from held)
), winners as (
  delete from entity_field where workspace_id = current_workspace() and entity_id in (select id from held)
), stated as (
  delete from observation where workspace_id = current_workspace() and entity_id in (select id from held)
), decided as (
  delete from decision where workspace_id = current_workspace() and entity_id in (select id from held)
), scored as (
  delete from icp_score where workspace_id = current_workspace() and entity_id in (select id from held)
)
select count(*) as n from held

-- name: remove_entities
-- What is left of them.
delete from entity where workspace_id = current_workspace() and id = any(%(entities)s)

-- name: erase_linked
-- What jobs about the person found, said and failed of, whatever it names them by. What is erased by now stays so.
with found as (
  update result set body = '{"erased": true}' where workspace_id = current_workspace() and id = any(%(results)s)
    and body <> '{"erased": true}' returning 1
), said as (
  update event set data = '{"erased": true}' where workspace_id = current_workspace() and job_id = any(%(jobs)s)
    and type in ('log', 'progress') and data <> '{"erased": true}' returning 1
), failed as (
  update job set error = split_part(error, ':', 1) where workspace_id = current_workspace() and id = any(%(jobs)s)
    and error like '%%:%%' returning 1
), told as (
  update job_callback set data = '{"erased": true}' where workspace_id = current_workspace() and job_id = any(%(jobs)s)
    and data <> '{"erased": true}' returning 1
)
select (select count(*) from found) + (select count(*) from said) + (select count(*) from failed) + (select count(*) from told) as n

-- name: forget_keys
-- What callers named their requests by, of jobs about the person: a hash of the arguments is with it.
with gone as (
  delete from idempotency_key where workspace_id = current_workspace() and job_id = any(%(jobs)s) returning 1
)
select count(*) as n from gone

-- name: find_job_args
-- Each statement from here on looks at the next page of one table, in the order of its key: what may name the person is
-- returned, and where the page ends.
with page as materialized (
  select job_id, args from job_args where workspace_id = current_workspace() and job_id > %(after)s::bigint
  order by job_id limit %(n)s
), last as (select max(job_id)::text as last from page)
select l.last, to_jsonb(p.job_id) as key, p.args as doc from last l left join page p on p.args::text ~* %(like)s

-- name: write_job_args
update job_args t set args = a.doc from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.job_id = a.key

-- name: find_result
with page as materialized (
  select id, body from result where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, p.body as doc from last l left join page p on p.body::text ~* %(like)s

-- name: write_result
update result t set body = a.doc from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_batch_row
with page as materialized (
  select batch_id, row_no, input, error, carried from batch_row
  where workspace_id = current_workspace()
    and (batch_id, row_no) > (split_part(%(after)s, '-', 1)::bigint, coalesce(nullif(split_part(%(after)s, '-', 2), ''), '0')::int)
  order by batch_id, row_no limit %(n)s
), last as (select batch_id || '-' || row_no as last from page order by batch_id desc, row_no desc limit 1)
select l.last, jsonb_build_array(p.batch_id, p.row_no) as key,
  jsonb_strip_nulls(jsonb_build_object('carried', p.carried)) || jsonb_build_object('input', p.input, 'error', p.error) as doc
from last l left join page p on p.input::text || coalesce(p.error, '') || coalesce(p.carried::text, '') ~* %(like)s

-- name: write_batch_row
update batch_row t set input = case when a.doc -> 'erased' = 'true' then a.doc else a.doc -> 'input' end, places = null, carried = a.doc -> 'carried',
  error = case when a.doc -> 'erased' is distinct from 'true' then a.doc ->> 'error' when t.error is not null then 'person_suppressed: erased' end
from jsonb_to_recordset(%(rows)s) as a(key jsonb, doc jsonb)
where t.workspace_id = current_workspace() and t.batch_id = (a.key ->> 0)::bigint and t.row_no = (a.key ->> 1)::int

-- name: jobs_of_rows
-- The jobs and results of rows of batches.
select j.id, r.result_id from jsonb_to_recordset(%(rows)s) as a(key jsonb)
join batch_row r on r.workspace_id = current_workspace() and r.batch_id = (a.key ->> 0)::bigint and r.row_no = (a.key ->> 1)::int
left join job j on j.workspace_id = r.workspace_id and j.batch_id = r.batch_id and j.row_no = r.row_no

-- name: results_of_jobs
-- The results of jobs.
select id, result_id from job where workspace_id = current_workspace() and id = any(%(jobs)s)

-- name: find_job
with page as materialized (
  select id, error, correlation_id, tags, webhook_url, step from job
  where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p) - 'id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_job
update job t set error = a.doc ->> 'error', correlation_id = a.doc ->> 'correlation_id', step = a.doc ->> 'step',
  tags = case when jsonb_typeof(a.doc -> 'tags') = 'array' then array(select jsonb_array_elements_text(a.doc -> 'tags')) else t.tags end,
  webhook_url = case when a.doc ->> 'webhook_url' = t.webhook_url then t.webhook_url end
from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_batch
with page as materialized (
  select id, settings, correlation_id, name, tags, columns from batch
  where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p) - 'id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_batch
update batch t set settings = a.doc -> 'settings', correlation_id = a.doc ->> 'correlation_id', name = a.doc ->> 'name',
  tags = array(select jsonb_array_elements_text(a.doc -> 'tags')),
  columns = (select jsonb_agg(c.pair order by c.n) from jsonb_array_elements(nullif(a.doc -> 'columns', 'null')) with ordinality c(pair, n)
             where jsonb_array_length(c.pair) = 2)  -- one that was called by the person's name has lost it
from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_event
with page as materialized (
  select id, data, xid from event where workspace_id = current_workspace()
    and (xid, id) > (split_part(%(after)s, '-', 1)::xid8, coalesce(nullif(split_part(%(after)s, '-', 2), ''), '0')::bigint)
  order by xid, id limit %(n)s
), last as (select xid::text || '-' || id as last from page order by xid desc, id desc limit 1)
select l.last, jsonb_build_array(p.xid::text, p.id) as key, p.data as doc from last l left join page p on p.data::text ~* %(like)s

-- name: write_event
update event t set data = a.doc from jsonb_to_recordset(%(rows)s) as a(key jsonb, doc jsonb)
where t.workspace_id = current_workspace() and t.xid = (a.key ->> 0)::xid8 and t.id = (a.key ->> 1)::bigint

-- name: find_record
with page as materialized (
  select kind, external_id, input, data from record
  where workspace_id = current_workspace() and (%(after)s = '' or (kind::text || '/' || external_id) collate "C" > %(after)s)
  order by (kind::text || '/' || external_id) collate "C" limit %(n)s
), last as (select max((kind::text || '/' || external_id) collate "C") as last from page)
select l.last, jsonb_build_array(p.kind, p.external_id) as key,
  jsonb_build_object('external_id', p.external_id, 'input', p.input, 'data', p.data) as doc
from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_record
-- One that was about the person goes; of another what mentioned them.
with gone as (
  delete from record t using jsonb_to_recordset(%(rows)s) as a(key jsonb, doc jsonb)
  where t.workspace_id = current_workspace() and t.kind = (a.key ->> 0)::record_kind and t.external_id = a.key ->> 1
    and a.doc -> 'erased' = 'true'
)
update record t set input = a.doc -> 'input', data = nullif(a.doc -> 'data', 'null')
from jsonb_to_recordset(%(rows)s) as a(key jsonb, doc jsonb)
where t.workspace_id = current_workspace() and t.kind = (a.key ->> 0)::record_kind and t.external_id = a.key ->> 1
  and a.doc -> 'erased' is distinct from 'true'

-- name: find_idempotency_key
with page as materialized (
  select key from idempotency_key where workspace_id = current_workspace() and key > %(after)s order by key limit %(n)s
), last as (select max(key) as last from page)
select l.last, to_jsonb(p.key) as key, to_jsonb(p.key) as doc from last l left join page p on p.key ~* %(like)s

-- name: write_idempotency_key
delete from idempotency_key where workspace_id = current_workspace() and key in (
  select key from jsonb_to_recordset(%(rows)s) as a(key text))

-- name: find_job_callback
with page as materialized (
  select job_id, event, data from job_callback where workspace_id = current_workspace() and job_id > %(after)s::bigint
  order by job_id, event limit %(n)s
), last as (select max(job_id)::text as last from page)
select l.last, jsonb_build_array(p.job_id, p.event) as key, jsonb_build_object('event', p.event, 'data', p.data) as doc
from last l left join page p on p.event || coalesce(p.data::text, '') ~* %(like)s

-- name: write_job_callback
-- The event's name stays where it names nobody, for the job waits for it.
update job_callback t set data = case when a.doc -> 'erased' = 'true' then a.doc else a.doc -> 'data' end,
  event = coalesce(a.doc ->> 'event', t.event)
from jsonb_to_recordset(%(rows)s) as a(key jsonb, doc jsonb)
where t.workspace_id = current_workspace() and t.job_id = (a.key ->> 0)::bigint and t.event = a.key ->> 1

-- name: find_webhook_delivery
with page as materialized (
  select id, body from webhook_delivery where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p.body) as doc from last l left join page p on p.body ~* %(like)s

-- name: write_webhook_delivery
-- What was not delivered yet is not to be: its attempts may quote it as well.
with told as (
  delete from webhook_attempt where workspace_id = current_workspace() and delivery_id in (
    select key from jsonb_to_recordset(%(rows)s) as a(key bigint))
)
update webhook_delivery t set body = a.doc #>> '{}', state = case when t.state = 'pending' then 'failed' else t.state end,
  ended_at = coalesce(t.ended_at, clock_timestamp())
from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_webhook_attempt
with page as materialized (
  select delivery_id, round, attempt, error, excerpt from webhook_attempt
  where workspace_id = current_workspace() and (delivery_id, round, attempt) > (split_part(%(after)s, '-', 1)::bigint,
    coalesce(nullif(split_part(%(after)s, '-', 2), ''), '0')::int, coalesce(nullif(split_part(%(after)s, '-', 3), ''), '0')::smallint)
  order by delivery_id, round, attempt limit %(n)s
), last as (select delivery_id || '-' || round || '-' || attempt as last from page order by delivery_id desc, round desc, attempt desc limit 1)
select l.last, jsonb_build_array(p.delivery_id, p.round, p.attempt) as key,
  jsonb_build_object('error', p.error, 'excerpt', p.excerpt) as doc
from last l left join page p on coalesce(p.error, '') || coalesce(p.excerpt, '') ~* %(like)s

-- name: write_webhook_attempt
update webhook_attempt t set error = a.doc ->> 'error', excerpt = a.doc ->> 'excerpt'
from jsonb_to_recordset(%(rows)s) as a(key jsonb, doc jsonb)
where t.workspace_id = current_workspace() and t.delivery_id = (a.key ->> 0)::bigint
  and t.round = (a.key ->> 1)::int and t.attempt = (a.key ->> 2)::smallint

-- name: find_schedule
with page as materialized (
  select id, name, args, tags from schedule where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p) - 'id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_schedule
-- One that was about the person fires no more.
with gone as (
  delete from schedule t using jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
  where t.workspace_id = current_workspace() and t.id = a.key and a.doc -> 'erased' = 'true'
)
update schedule t set name = a.doc ->> 'name', args = a.doc -> 'args',
  tags = case when jsonb_typeof(a.doc -> 'tags') = 'array' then array(select jsonb_array_elements_text(a.doc -> 'tags')) else t.tags end
from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key and a.doc -> 'erased' is distinct from 'true'

-- name: find_workflow
with page as materialized (
  select id, name from workflow where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p.name) as doc from last l left join page p on p.name ~* %(like)s

-- name: write_workflow
update workflow t set name = a.doc #>> '{}' from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_search
with page as materialized (
  select id, criteria, contacts, error, created_by from search where workspace_id = current_workspace() and id > %(after)s::bigint
  order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p) - 'id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_search
update search t set criteria = a.doc -> 'criteria', contacts = nullif(a.doc -> 'contacts', 'null'), error = a.doc ->> 'error',
  created_by = a.doc ->> 'created_by'
from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_payment
with page as materialized (
  select event_id, outcome from payment where workspace_id = current_workspace() and event_id > %(after)s order by event_id limit %(n)s
), last as (select max(event_id) as last from page)
select l.last, to_jsonb(p.event_id) as key, to_jsonb(p) - 'event_id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_payment
update payment t set outcome = a.doc ->> 'outcome' from jsonb_to_recordset(%(rows)s) as a(key text, doc jsonb)
where t.workspace_id = current_workspace() and t.event_id = a.key

-- name: find_credit_entry
with page as materialized (
  select id, reason, actor from credit_entry where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p) - 'id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_credit_entry
update credit_entry t set reason = a.doc ->> 'reason', actor = a.doc ->> 'actor' from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_saved_view
with page as materialized (
  select id, name, query, created_by from saved_view where workspace_id = current_workspace() and id > %(after)s::bigint
  order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p) - 'id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_saved_view
update saved_view t set name = case when a.doc ->> 'name' = t.name then t.name else left(a.doc ->> 'name', 60) || ' ' || t.id end,
  query = a.doc -> 'query', created_by = a.doc ->> 'created_by', version = version + 1
from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_audit
with page as materialized (
  select id, actor, target, detail from audit where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p) - 'id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_audit
update audit t set actor = coalesce(a.doc ->> 'actor', t.actor), target = a.doc ->> 'target',
  detail = case when a.doc -> 'erased' = 'true' then a.doc else a.doc -> 'detail' end
from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_call
with page as materialized (
  select id, detail, handle, asked, resolved_by from call where workspace_id = current_workspace() and id > %(after)s::bigint
  order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p) - 'id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_call
-- What was to be asked for later with their name in it is not asked for any more.
update call t set detail = a.doc ->> 'detail', handle = a.doc ->> 'handle', resolved_by = a.doc ->> 'resolved_by',
  asked = case when a.doc -> 'asked' = t.asked then t.asked end,
  erased_at = case when a.doc -> 'asked' is distinct from t.asked and t.asked is not null then clock_timestamp() else t.erased_at end,
  state = case when a.doc -> 'asked' is distinct from t.asked and t.state = 'pending_vendor' then 'unknown' else t.state end
from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_vendor_request
with page as materialized (
  select id, error, correlation_id from vendor_request where workspace_id = current_workspace() and id > %(after)s::bigint
  order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key, to_jsonb(p) - 'id' as doc from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_vendor_request
update vendor_request t set error = a.doc ->> 'error', correlation_id = a.doc ->> 'correlation_id'
from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
where t.workspace_id = current_workspace() and t.id = a.key

-- name: find_observation
with page as materialized (
  select id, entity_id, field, value, raw, source_url, quote from observation
  where workspace_id = current_workspace() and id > %(after)s::bigint order by id limit %(n)s
), last as (select max(id)::text as last from page)
select l.last, to_jsonb(p.id) as key,
  case when p.field is not null then jsonb_build_object(p.field, jsonb_build_object('value', p.value, 'raw', p.raw), 'source_url', p.source_url, 'quote', p.quote) end as doc
from last l left join page p on to_jsonb(p)::text ~* %(like)s

-- name: write_observation
-- What a company was said to have and is the person's goes; what mentioned them stays without it.
with given as (
  select key, doc, (select v.key from jsonb_each(doc) v where v.key not in ('source_url', 'quote', 'erased') limit 1) as field
  from jsonb_to_recordset(%(rows)s) as a(key bigint, doc jsonb)
), gone as (
  delete from observation t using given a
  where t.workspace_id = current_workspace() and t.id = a.key and (a.field is null or a.doc -> 'erased' = 'true')
)
update observation t set value = a.doc -> a.field -> 'value', raw = a.doc -> a.field ->> 'raw',
  source_url = a.doc ->> 'source_url', quote = a.doc ->> 'quote'
from given a
where t.workspace_id = current_workspace() and t.id = a.key and a.field is not null

-- name: find_entity_field
with page as materialized (
  select entity_id, field, value, alternatives from entity_field
  where workspace_id = current_workspace() and (entity_id, field) > (split_part(%(after)s, '-', 1)::bigint, split_part(%(after)s, '-', 2))
  order by entity_id, field limit %(n)s
), last as (select entity_id || '-' || field as last from page order by entity_id desc, field desc limit 1)
select l.last, jsonb_build_array(p.entity_id, p.field) as key,
  case when p.field is not null then jsonb_build_object(p.field, jsonb_build_object('value', p.value), 'alternatives', p.alternatives) end as doc
from last l left join page p on p.value::text || p.alternatives::text ~* %(like)s

-- name: write_entity_field
-- As with observations; the next merge derives it anew.
with given as (
  select key, doc, (key ->> 0)::bigint as entity_id, key ->> 1 as field from jsonb_to_recordset(%(rows)s) as a(key jsonb, doc jsonb)
), gone as (
  delete from entity_field t using given a
  where t.workspace_id = current_workspace() and t.entity_id = a.entity_id and t.field = a.field and not a.doc ? a.field
)
update entity_field t set value = a.doc -> a.field -> 'value', alternatives = a.doc -> 'alternatives'
from given a
where t.workspace_id = current_workspace() and t.entity_id = a.entity_id and t.field = a.field and a.doc ? a.field

-- name: find_decision
with page as materialized (
  select entity_id, field, value, decided_by from decision
  where workspace_id = current_workspace() and (entity_id, field) > (split_part(%(after)s, '-', 1)::bigint, split_part(%(after)s, '-', 2))
  order by entity_id, field limit %(n)s
), last as (select entity_id || '-' || field as last from page order by entity_id desc, field desc limit 1)
select l.last, jsonb_build_array(p.entity_id, p.field) as key,
  case when p.field is not null then jsonb_build_object(p.field, jsonb_build_object('value', p.value), 'decided_by', p.decided_by) end as doc
from last l left join page p on p.value::text || coalesce(p.decided_by, '') ~* %(like)s

-- name: write_decision
with given as (
  select key, doc, (key ->> 0)::bigint as entity_id, key ->> 1 as field from jsonb_to_recordset(%(rows)s) as a(key jsonb, doc jsonb)
), gone as (
  delete from decision t using given a
  where t.workspace_id = current_workspace() and t.entity_id = a.entity_id and t.field = a.field and not a.doc ? a.field
)
update decision t set value = a.doc -> a.field -> 'value', decided_by = a.doc ->> 'decided_by'
from given a
where t.workspace_id = current_workspace() and t.entity_id = a.entity_id and t.field = a.field and a.doc ? a.field

-- name: find_icp_score
with page as materialized (
  select entity_id, reasons from icp_score where workspace_id = current_workspace() and entity_id > %(after)s::bigint
  order by entity_id limit %(n)s
), last as (select max(entity_id)::text as last from page)
select l.last, to_jsonb(p.entity_id) as key, p.reasons as doc from last l left join page p on p.reasons::text ~* %(like)s

-- name: write_icp_score
-- It is derived again when it is next asked for.
delete from icp_score where workspace_id = current_workspace() and entity_id in (
  select key from jsonb_to_recordset(%(rows)s) as a(key bigint))

-- name: find_answer
-- Raw answers are compressed: each is read. To jobs about the person alone they gave what they gave of them.
with page as materialized (
  select call_id, body from answer where workspace_id = current_workspace() and call_id > %(after)s::bigint order by call_id limit %(n)s
)
select p.call_id as key, p.body, c.job_id = any(%(jobs)s) as theirs
from page p join call c on c.workspace_id = current_workspace() and c.id = p.call_id order by p.call_id

-- name: write_answer
update answer t set body = decode(a.body, 'base64'), digest = decode(a.digest, 'hex')
from jsonb_to_recordset(%(rows)s) as a(key bigint, body text, digest text)
where t.workspace_id = current_workspace() and t.call_id = a.key

-- name: where_from
-- Everything that was stated of these entities: by whom, where it stood, what it cost, and for whom it was asked.
select o.id, o.field, o.value, o.raw, o.confidence, o.provider, o.source_url, o.quote, o.retrieved_at, o.cost_micros,
       o.call_id, c.reason, c.asked_by, c.created_at as asked_at, c.job_id, c.batch_id, j.kind as job_kind, v.correlation_id,
       f.observation_id is not null as wins
from observation o
join call c on c.workspace_id = o.workspace_id and c.id = o.call_id
join vendor_request v on v.workspace_id = c.workspace_id and v.id = c.request_id
left join job j on j.workspace_id = c.workspace_id and j.id = c.job_id
left join entity_field f on f.workspace_id = o.workspace_id and f.observation_id = o.id and f.entity_id = o.entity_id
where o.workspace_id = current_workspace() and o.entity_id = any(%(entities)s)
order by o.field, o.retrieved_at, o.id

-- name: decided
-- What people decided of them.
select field, value, act::text as act, decided_by, decided_at from decision
where workspace_id = current_workspace() and entity_id = any(%(entities)s) order by field

-- name: retention
-- For how many days this workspace keeps things; nothing where it set nothing.
select answers_days, results_days, events_days, logs_days from retention where workspace_id = current_workspace()

-- name: set_retention
insert into retention (workspace_id, answers_days, results_days, events_days, logs_days)
values (current_workspace(), %(answers_days)s, %(results_days)s, %(events_days)s, %(logs_days)s)
on conflict (workspace_id) do update set answers_days = excluded.answers_days, results_days = excluded.results_days,
  events_days = excluded.events_days, logs_days = excluded.logs_days, set_at = clock_timestamp()
