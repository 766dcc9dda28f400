-- name: ensure
-- The budgets that a job's calls count against, with what is left: those it was given, and those of standing caps for
-- the day or the month that it is (UTC, by this clock). Made on first use. Lowering a cap clamps at what is committed
-- already; what was meant is kept beside it. A cap that stands is not locked; of the others those that exist go first, in id order, as everywhere.
-- What another transaction makes at this moment has no id yet: ask again.
with standing as (
  select coalesce(s.provider, d.provider) as provider, coalesce(s.cap_micros, d.cap_micros) as cap_micros
  from (select * from spend_cap where workspace_id = current_workspace()) s
  full join jsonb_to_recordset(%(defaults)s) as d(provider text, cap_micros bigint) on d.provider = s.provider
), wanted as (
  select scope::budget_scope, scope_key, null as provider, cap_micros
  from jsonb_to_recordset(%(caps)s) as a(scope text, scope_key text, cap_micros bigint)
  union all
  select case when provider = '' then 'workspace_day' else 'provider_month' end::budget_scope,
         case when provider = '' then to_char(utc, 'YYYY-MM-DD') else provider || '/' || to_char(utc, 'YYYY-MM') end,
         nullif(provider, ''), cap_micros
  from standing cross join (select clock_timestamp() at time zone 'UTC' as utc) t
), made as (
  insert into budget as b (workspace_id, scope, scope_key, cap_micros, meant_micros)
  select current_workspace(), w.scope, w.scope_key, w.cap_micros, w.cap_micros
  from wanted w
  left join budget h on h.workspace_id = current_workspace() and h.scope = w.scope and h.scope_key = w.scope_key
  where h.cap_micros is distinct from greatest(w.cap_micros, h.reserved_micros + h.spent_micros - h.overrun_micros)
    or h.meant_micros is distinct from w.cap_micros
  order by h.id nulls last, w.scope, w.scope_key
  on conflict (workspace_id, scope, scope_key) do update
    set cap_micros = greatest(excluded.cap_micros, b.reserved_micros + b.spent_micros - b.overrun_micros),
      meant_micros = excluded.meant_micros
    where b.cap_micros <> excluded.cap_micros or b.meant_micros is distinct from excluded.meant_micros
  returning b.id, b.scope, b.scope_key, b.cap_micros, b.reserved_micros, b.spent_micros
)
select coalesce(m.id, h.id) as id, w.scope::text, w.scope_key, w.provider, coalesce(m.cap_micros, h.cap_micros) as cap_micros,
       coalesce(m.cap_micros - m.spent_micros - m.reserved_micros, h.cap_micros - h.spent_micros - h.reserved_micros) as left_micros
from wanted w
left join made m on m.scope = w.scope and m.scope_key = w.scope_key
left join budget h on h.workspace_id = current_workspace() and h.scope = w.scope and h.scope_key = w.scope_key
order by 1

-- name: paused
-- Prices that a vendor has passed.
select p.provider, p.operation, p.reserved_micros, p.billed_micros, p.paused_at, p.request_id
from paused_price p where p.workspace_id = current_workspace() order by p.provider, p.operation

-- name: in_force
-- The standing caps, each with the budget of the day or month that it is, which is made when it is first spent from. One
-- that was lowered is shown as far down as what is committed lets it be.
with standing as (
  select coalesce(s.provider, d.provider) as provider, coalesce(s.cap_micros, d.cap_micros) as cap_micros, s.provider is null as by_default
  from (select * from spend_cap where workspace_id = current_workspace()) s
  full join jsonb_to_recordset(%(defaults)s) as d(provider text, cap_micros bigint) on d.provider = s.provider
), wanted as (
  select case when provider = '' then 'workspace_day' else 'provider_month' end::budget_scope as scope,
         case when provider = '' then to_char(utc, 'YYYY-MM-DD') else provider || '/' || to_char(utc, 'YYYY-MM') end as scope_key,
         cap_micros, by_default
  from standing cross join (select clock_timestamp() at time zone 'UTC' as utc) t
)
select b.id, w.scope::text, w.scope_key,
       coalesce(greatest(least(b.cap_micros, b.meant_micros), b.reserved_micros + b.spent_micros - b.overrun_micros), w.cap_micros) as cap_micros,
       coalesce(b.reserved_micros, 0) as reserved_micros,
       coalesce(b.spent_micros, 0) as spent_micros, coalesce(b.overrun_micros, 0) as overrun_micros, w.by_default
from wanted w
left join budget b on b.workspace_id = current_workspace() and b.scope = w.scope and b.scope_key = w.scope_key
order by w.scope, w.scope_key

-- name: page
-- Every budget there ever was, the newest first.
select b.id, b.scope::text, b.scope_key,
       greatest(least(b.cap_micros, b.meant_micros), b.reserved_micros + b.spent_micros - b.overrun_micros) as cap_micros, b.reserved_micros, b.spent_micros, b.overrun_micros, null::boolean as by_default
from budget b where b.workspace_id = current_workspace() order by b.id desc limit %(n)s

-- name: own_cap
-- The standing cap that the workspace set itself.
select cap_micros from spend_cap where workspace_id = current_workspace() and provider = %(provider)s

-- name: set_cap
-- A standing cap, from now on; the budget of the period that it is follows.
insert into spend_cap (workspace_id, provider, cap_micros) values (current_workspace(), %(provider)s, %(cap)s)
on conflict (workspace_id, provider) do update set cap_micros = excluded.cap_micros

-- name: remove_cap
-- No standing cap of this kind any more.
delete from spend_cap where workspace_id = current_workspace() and provider = %(provider)s returning provider

-- name: resume
-- Prices that are taken as they are.
delete from paused_price where workspace_id = current_workspace() and provider = %(provider)s
  and (%(operation)s::text is null or operation = %(operation)s) returning operation
