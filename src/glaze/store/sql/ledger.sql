-- name: look
-- The state of each question, without a lock: most askers need no more. Where an answer speaks of the
-- wanted fields alone, the fields that were asked about since "after". Under row level security only what cannot leak
-- is looked up in an index, and decode() may: so keys are decoded first, here and below.
select a.ord, q.id as question_id, q.generation, c.id as call_id, c.state, c.verdict, c.detail, c.job_id, c.handle,
       c.settled_at, c.deadline, c.reserved_micros,
       greatest(0, extract(epoch from c.poll_at - clock_timestamp()))::float8 as poll_in_s,
       case when a.by_field then array(
         select distinct field from call k cross join unnest(k.wanted) as field
         where k.workspace_id = q.workspace_id and k.question_id = q.id and k.state = 'settled'
           and k.settled_at >= coalesce(a.after, '-infinity')) end as covered
from (
  select r.*, decode(r.hex, 'hex') as key
  from jsonb_to_recordset(%(questions)s) as r(ord int, credential text, provider text, operation text, flags text, hex text,
    by_field bool, after timestamptz) offset 0
) a
left join question q on q.workspace_id = current_workspace()
  and (q.credential, q.provider, q.operation, q.flags, q.key) = (a.credential, a.provider, a.operation, a.flags, a.key)
left join call c on c.workspace_id = q.workspace_id and c.id = q.call_id
order by a.ord

-- name: hold_jobs
-- Jobs whose token still holds, kept from changing hands until we commit; in id order, as everywhere. Their batches after
-- them: one that is being stopped or paused waits for us, or we for it, so that what is recorded after its end is none of
-- its calls. Counters move on meanwhile.
with held as materialized (
  select j.id, j.worker_id, j.claim_no, j.cancel_requested, j.batch_id
  from job j
  where j.workspace_id = current_workspace() and j.id = any(%(jobs)s) and j.state = 'processing'
  order by j.id
  for share of j
), steady as materialized (
  select b.id, b.state from batch b
  where b.workspace_id = current_workspace() and b.id = any(array(select batch_id from held))
  order by b.id
  for key share of b
)
select j.id, j.worker_id, j.claim_no, j.cancel_requested,
       b.state as batch_state, w.lease_until > clock_timestamp() and w.stopped_at is null as lease_holds
from held j
join worker w on w.id = j.worker_id
left join steady b on b.id = j.batch_id

-- name: suppressed
-- Which of these people must not be bought.
select key_hash from suppression where workspace_id = current_workspace() and key_hash = any(%(subjects)s)

-- name: paused_prices
-- What vendors billed for a question where less was reserved.
select provider, operation, billed_micros from paused_price where workspace_id = current_workspace()

-- name: make_questions
-- Questions nobody has asked before; in key order, so that two groups cannot wait for each other.
insert into question (workspace_id, credential, provider, operation, flags, key)
select current_workspace(), a.credential, a.provider, a.operation, a.flags, decode(a.hex, 'hex')
from jsonb_to_recordset(%(questions)s) as a(ord int, credential text, provider text, operation text, flags text, hex text)
order by a.provider, a.operation, a.hex
on conflict do nothing

-- name: lock_questions
-- Nobody else reserves these until we commit. Their calls are read by a statement of its own after
-- this one: a statement that waited for a lock still sees the other tables as they were before.
select q.id from question q
join (
  select r.*, decode(r.hex, 'hex') as key
  from jsonb_to_recordset(%(questions)s) as r(ord int, credential text, provider text, operation text, flags text, hex text) offset 0
) a on (q.credential, q.provider, q.operation, q.flags, q.key) = (a.credential, a.provider, a.operation, a.flags, a.key)
where q.workspace_id = current_workspace()
order by q.id
for update of q

-- name: record_intents
-- The intents: a row for each request that will leave, a call for each question in it. Committed
-- before any byte leaves, so that whatever dies after this is seen.
with request as materialized (
  select nextval(pg_get_serial_sequence('glaze.vendor_request', 'id')) as id, a.*
  from jsonb_to_recordset(%(requests)s) as a(ord int, provider text, operation text, credential text, calls int, deadline_s float8, correlation_id text)
), made as (
  insert into vendor_request (workspace_id, id, provider, operation, credential, calls, deadline, correlation_id)
  select current_workspace(), r.id, r.provider, r.operation, r.credential, r.calls,
         clock_timestamp() + make_interval(secs => r.deadline_s), r.correlation_id
  from request r
), sent as (
  insert into call (workspace_id, question_id, generation, request_id, job_id, batch_id, worker_id, claim_no,
                    position, missed, reason, wanted, reserved_micros, budget_ids, deadline, resend, asked, collect_until,
                    earlier, asked_by, country, floor)
  select current_workspace(), a.question_id, a.generation, r.id, a.job_id, a.batch_id, a.worker_id, a.claim_no,
         a.position, a.missed, a.reason, a.wanted, a.reserved_micros, a.budget_ids,
         clock_timestamp() + make_interval(secs => r.deadline_s), a.resend, a.asked,
         clock_timestamp() + make_interval(secs => r.deadline_s + a.collect_s), a.earlier, a.asked_by, a.country, a.floor
  from jsonb_to_recordset(%(calls)s) as a(request int, question_id bigint, generation int, job_id bigint,
    batch_id bigint, worker_id bigint, claim_no int, position smallint, missed text[], reason text, wanted text[],
    reserved_micros bigint, budget_ids bigint[], resend text, asked jsonb, collect_s float8, earlier text[], asked_by text,
    country text, floor smallint)
  join request r on r.ord = a.request
  returning id, question_id, generation, request_id
)
update question q set generation = sent.generation, call_id = sent.id
from sent
where q.workspace_id = current_workspace() and q.id = sent.question_id and q.generation = sent.generation - 1
returning q.id as question_id, sent.id as call_id, sent.request_id, pg_current_xact_id()::text as xid

-- name: lock_budgets
-- Last in the transaction, for these rows are hot; in id order, as everywhere.
select b.id from budget b
where b.workspace_id = current_workspace()
  and b.id in (select id from jsonb_to_recordset(%(budgets)s) as a(id bigint, micros bigint))
order by b.id
for update of b

-- name: reserve_budgets
-- The budgets into which the money fits: what was overrun is spent as well. That a settlement is
-- never refused is why the CHECK never_over_cap, below this, counts without it.
update budget b set reserved_micros = b.reserved_micros + a.micros
from jsonb_to_recordset(%(budgets)s) as a(id bigint, micros bigint)
where b.workspace_id = current_workspace() and b.id = a.id
  and a.micros <= least(b.cap_micros, b.meant_micros) - b.spent_micros - b.reserved_micros
returning b.id

-- name: expire_calls
-- Past its own deadline a call that is still sending is treated by its class, whoever notices. What costs nothing
-- leaves nothing to resolve. What may be sent again under its key, or collected, or was called back about, is
-- asked for again; everything else is unknown.
update call set
  state = case when reserved_micros = 0 then 'not_billed'::call_state
               when collect_until > clock_timestamp() and (resend in ('idempotent', 'collect') or poll_at is not null)
                 then 'pending_vendor' else 'unknown' end,
  price_micros = case when reserved_micros = 0 then 0 end,
  settled_at = case when reserved_micros = 0 then clock_timestamp() end,
  poll_at = coalesce(poll_at, clock_timestamp()),
  asked = case when reserved_micros > 0 then asked end,
  detail = 'no answer before the deadline'
where workspace_id = current_workspace() and id = any(%(calls)s)
  and state = 'sending' and deadline < clock_timestamp()
returning id, state

-- name: xact_status
-- Whether a transaction was committed; null where it is too long ago.
select pg_xact_status(%(xid)s::text::xid8) as status

-- name: settle
-- The truth about calls, recorded whoever holds the job by now: money facts and observations are not
-- fenced, for they are true. A call settles once: what comes again finds it settled and adds nothing.
-- Budgets release the reservation and book the price; what exceeds it is overrun, never refused. Of an
-- entity that was merged away meanwhile observations speak of the one that is left. Where a request billed more
-- than was reserved for its calls together its price is paused, and the feed tells. The ids are given a second
-- time so that they are looked up in the key, whatever statistics say. Of a call about somebody who was erased
-- meanwhile the money is recorded and nothing else. Whose answer was lost but whose vendor called back while its
-- sender still waited is not unknown: there is an answer to collect. Whose answer came with a bill that could not be
-- read keeps it, whatever is said of the bill later. An answer also comes where somebody had said already what
-- the call did cost: the vendor's own word counts; of its reservation nothing is left, so what it adds is overrun.
with held as materialized (
  select id, state, verdict, resolved_by, state in ('settled', 'not_billed') as late, coalesce(price_micros, 0) as before_micros
  from call where workspace_id = current_workspace() and id = any(%(call_ids)s) order by id for update
), ended as (
  update call c set
    state = case when a.state = 'unknown' and c.state = 'sending' and c.poll_at is not null then 'pending_vendor'
                 when a.state = 'not_billed' and h.verdict = 'match'
                   and exists (select from answer k where k.workspace_id = c.workspace_id and k.call_id = c.id) then 'settled'
                 else a.state end::call_state,
    price_micros = a.price_micros, verdict = case when h.verdict = 'match' and a.state <> 'settled' then h.verdict else a.verdict end,
    detail = case when c.erased_at is null then a.detail end,
    settled_at = case when a.state in ('settled', 'not_billed') then clock_timestamp() end,
    handle = case when c.erased_at is null then coalesce(a.handle, c.handle) end,
    asked = case when a.state not in ('settled', 'not_billed') then c.asked end,
    deadline = case when a.state = 'pending_vendor' or a.state = 'unknown' and c.state = 'sending' and c.poll_at is not null
                    then clock_timestamp() else c.deadline end,
    poll_at = case when a.state <> 'pending_vendor' then c.poll_at  -- a vendor that called back already is asked at once
                   else clock_timestamp() + make_interval(secs => case when c.poll_at is null then a.wait_s else 0 end) end
  from (select * from jsonb_to_recordset(%(calls)s) as r(id bigint, state text, price_micros bigint, verdict text, detail text,
    handle text, wait_s float8) order by id) a join held h on h.id = a.id
  where c.workspace_id = current_workspace() and c.id = any(%(call_ids)s) and c.id = a.id
    and (c.state in ('sending', 'pending_vendor', 'unknown') and not (a.state = 'pending_vendor' and c.state = 'pending_vendor')
         or a.state = 'settled' and h.resolved_by is not null and (h.state = 'not_billed' or h.state = 'settled' and h.verdict = 'lost'))
  returning c.id, c.request_id, c.budget_ids, c.reserved_micros, c.state, c.price_micros, c.erased_at, h.verdict as told, h.late, h.before_micros
), wire as (
  update vendor_request v set answered_at = clock_timestamp(), status = a.status, exchanges = v.exchanges + a.exchanges, bytes = v.bytes + a.bytes,
    billed_micros = greatest(a.billed_micros, v.billed_micros + coalesce(  -- its calls may end one after the other
      (select sum(e.price_micros - e.before_micros) from ended e where e.request_id = v.id), 0)), remainder_micros = a.remainder_micros, error = a.error
  from jsonb_to_recordset(%(requests)s) as a(id bigint, status int, exchanges int, bytes bigint, billed_micros bigint, remainder_micros bigint, error text)
  where v.workspace_id = current_workspace() and v.id = any(%(request_ids)s) and v.id = a.id
), kept as (
  insert into answer (workspace_id, call_id, body, digest)
  select current_workspace(), a.call_id, decode(a.body, 'base64'), decode(a.digest, 'hex')
  from jsonb_to_recordset(%(answers)s) as a(call_id bigint, body text, digest text)
  join ended on ended.id = a.call_id and ended.erased_at is null
  on conflict do nothing
), stated as materialized (
  select * from rows from (jsonb_to_recordset(%(observations)s) as (entity_id bigint, call_id bigint, field text, value jsonb,
    raw text, confidence smallint, provider text, source_url text, quote text, cost_micros bigint)) with ordinality
), home as materialized (
  select e.id, coalesce(e.merged_into, e.id) as entity_id from entity e
  where e.workspace_id = current_workspace() and e.id = any(array(select entity_id from stated))
  order by e.id for key share of e  -- as the foreign key would; a merge under way is waited for
), observed as (
  insert into observation (workspace_id, entity_id, call_id, field, value, raw, confidence, provider, source_url, quote, cost_micros, retrieved_at)
  select current_workspace(), h.entity_id, a.call_id, a.field, a.value, a.raw, a.confidence, a.provider, a.source_url, a.quote,
         a.cost_micros, clock_timestamp()
  from stated a join home h on h.id = a.entity_id join ended on ended.id = a.call_id and ended.erased_at is null order by a.ordinality
), shared as (  -- the price of what was stated before its bill could be read
  update observation o set cost_micros = s.cost_micros
  from (
    select v.id, e.price_micros / count(*) over calls
           + case when row_number() over (partition by v.call_id order by v.id) = 1 then e.price_micros %% count(*) over calls else 0 end as cost_micros
    from observation v join ended e on e.id = v.call_id and e.told = 'match' and e.state = 'settled'
    where v.workspace_id = current_workspace() and v.call_id = any(%(call_ids)s)
      and not exists (select from stated a where a.call_id = v.call_id)
    window calls as (partition by v.call_id)
  ) s
  where o.workspace_id = current_workspace() and o.id = s.id
), hot as materialized (
  select b.id from budget b
  where b.workspace_id = current_workspace() and b.id in (select unnest(e.budget_ids) from ended e where e.reserved_micros > 0 or e.price_micros > 0)
  order by b.id for update of b
), booked as (
  update budget b set reserved_micros = b.reserved_micros - coalesce(a.released, 0), spent_micros = b.spent_micros + a.spent,
    overrun_micros = b.overrun_micros + a.overrun
  from (
    select from_budget.id, (sum(e.reserved_micros) filter (where not e.late))::bigint as released,
           sum(e.price_micros - e.before_micros)::bigint as spent,
           sum(case when e.late and e.price_micros > e.before_micros then e.price_micros - e.before_micros
                    else greatest(0, e.price_micros - e.reserved_micros) - greatest(0, e.before_micros - e.reserved_micros) end)::bigint as overrun
    from ended e cross join unnest(e.budget_ids) as from_budget(id) join hot on hot.id = from_budget.id
    where e.state in ('settled', 'not_billed')  -- of an open call the reservation stays
    group by from_budget.id order by from_budget.id
  ) a
  where b.workspace_id = current_workspace() and b.id = a.id
), dear as (
  select e.request_id, v.provider, v.operation, sum(e.reserved_micros)::bigint as reserved_micros, sum(e.price_micros)::bigint as billed_micros,
         count(*) as calls
  from ended e join vendor_request v on v.workspace_id = current_workspace() and v.id = e.request_id
  group by e.request_id, v.provider, v.operation having sum(e.price_micros) > sum(e.reserved_micros)
), paused as (
  insert into paused_price as p (workspace_id, provider, operation, reserved_micros, billed_micros, request_id)
  select distinct on (provider, operation) current_workspace(), provider, operation, reserved_micros / calls, ceil(billed_micros::numeric / calls), request_id
  from dear order by provider, operation, billed_micros / calls desc
  on conflict (workspace_id, provider, operation) do update
    set reserved_micros = excluded.reserved_micros, billed_micros = excluded.billed_micros, request_id = excluded.request_id, paused_at = excluded.paused_at
    where p.billed_micros < excluded.billed_micros
), told as (
  insert into event (workspace_id, type, data)
  select current_workspace(), 'overrun', jsonb_build_object('provider', provider, 'operation', operation, 'request', request_id,
    'reserved_micros', reserved_micros, 'billed_micros', billed_micros)
  from dear
)
select provider, operation, request_id, reserved_micros, billed_micros from dear

-- name: answer
-- What a call brought: its raw slice.
select body from answer where workspace_id = current_workspace() and call_id = %(call)s

-- name: spend_of_jobs
-- What each job caused so far, by provider.
select c.job_id, q.provider, coalesce(sum(c.price_micros), 0)::bigint as price_micros,
       coalesce(sum(c.reserved_micros) filter (where c.state in ('unknown', 'sending', 'pending_vendor')), 0)::bigint as unknown_micros
from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
where c.workspace_id = current_workspace() and c.job_id = any(%(jobs)s)
group by c.job_id, q.provider

-- name: asked_by_job
-- What a job has asked already, but for what certainly was not billed and brought nothing.
select distinct q.provider || '.' || q.operation as operation
from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
where c.workspace_id = current_workspace() and c.job_id = %(job)s and c.state <> 'not_billed'

-- name: spend_of_batch
-- What a batch caused, by provider; a call that was never sent is none. Of the calls after an id, and of those before
-- it that were open when it was reached: the others' sum is known. What has ended for good is told apart up to where no
-- call can appear any more: up to the last id that was there at an earlier look, once every transaction that was under
-- way at that look is over. Who gives a call its id has locked its question before: else it would not be seen to be under way.
with place as materialized (
  select case when pg_snapshot_xmin(pg_current_snapshot()) >= %(horizon)s::text::xid8 then %(seen)s::bigint else %(after)s::bigint end as settled_to
), looked as (
  select c.id, c.question_id, c.verdict, c.price_micros, c.reserved_micros, c.state in ('unknown', 'sending', 'pending_vendor') as is_open
  from call c
  where c.workspace_id = current_workspace() and c.batch_id = %(batch)s and c.id > %(after)s
    and (c.state <> 'not_billed' or c.verdict is not null)
  union all
  select c.id, c.question_id, c.verdict, c.price_micros, c.reserved_micros, c.state in ('unknown', 'sending', 'pending_vendor')
  from call c
  where c.workspace_id = current_workspace() and c.id = any(%(open)s::bigint[])
    and (c.state <> 'not_billed' or c.verdict is not null)
)
select q.provider, p.settled_to, pg_snapshot_xmax(pg_current_snapshot())::text as horizon, max(l.id) as last,
       not l.is_open and l.id <= p.settled_to as ended, count(*) as calls, count(*) filter (where l.verdict = 'match') as matches,
       coalesce(sum(l.price_micros), 0)::bigint as price_micros,
       coalesce(sum(l.reserved_micros) filter (where l.is_open), 0)::bigint as unknown_micros,
       count(*) filter (where l.is_open and l.reserved_micros > 0) as unknown_calls,
       coalesce(array_agg(l.id) filter (where l.is_open and l.id <= p.settled_to), '{}') as open
from looked l cross join place p join question q on q.workspace_id = current_workspace() and q.id = l.question_id
group by q.provider, p.settled_to, not l.is_open and l.id <= p.settled_to order by q.provider

-- name: told_to_wait
-- How often this job was told to wait, as by this call: by the provider's limit, for an endless 429 is an
-- outage, or for this one question, which the vendor is still working on.
select count(*) as times from call told
join question asked on asked.workspace_id = told.workspace_id and asked.id = told.question_id
join call c on c.workspace_id = told.workspace_id and c.job_id = %(job)s and c.verdict = told.verdict
join question q on q.workspace_id = c.workspace_id and q.id = c.question_id and q.provider = asked.provider
where told.workspace_id = current_workspace() and told.id = %(call)s
  and (told.verdict = 'rate_limited' or c.question_id = told.question_id)

-- name: hash_key
-- The workspace's key for HMACs.
select hash_key from workspace where id = current_workspace()
