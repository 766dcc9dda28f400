-- name: tallies
-- What the latest calls brought, by field and by the circumstances that they were made in. A call's weight halves with
-- every "half_life" newer calls about the same field. Of the operations that answered before, those in "paid" count.
with latest as materialized (
  select c.id, q.provider || '.' || q.operation as operation, c.asked_by, coalesce(c.country, '') as country, c.wanted, c.floor,
         c.price_micros, extract(epoch from c.settled_at - c.created_at)::float8 as seconds,
         array(select e from unnest(c.earlier) as e where e = any(%(paid)s::text[]) order by e) as missed
  from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
  where c.workspace_id = current_workspace() and c.state = 'settled' and c.verdict in ('match', 'no_match') and c.earlier is not null
  order by c.id desc limit %(most)s
), gives as materialized (
  select operation, fields from jsonb_to_recordset(%(gives)s) as g(operation text, fields text[])
), stated as materialized (
  select o.call_id, o.field, max(o.confidence) as confidence from observation o
  where o.workspace_id = current_workspace() and o.call_id >= (select min(id) from latest)
  group by o.call_id, o.field
), asked as (
  select l.operation, l.missed, l.asked_by, l.country, l.price_micros, l.seconds, w.field,
         power(0.5, (row_number() over (partition by w.field order by l.id desc) - 1) / %(half_life)s::float8) as weight,
         coalesce(s.confidence >= l.floor, false) as filled
  from latest l join gives g on g.operation = l.operation
  cross join lateral (select f as field from unnest(l.wanted) as f where f = any(g.fields)) w
  left join stated s on s.call_id = l.id and s.field = w.field
)
select operation, field, missed, asked_by, country, count(*) as calls, sum(weight)::float8 as asked,
       coalesce(sum(weight) filter (where filled), 0)::float8 as filled,
       sum(weight * price_micros)::float8 as paid_micros, sum(weight * seconds)::float8 as seconds
from asked group by operation, field, missed, asked_by, country
order by operation, field, missed, asked_by, country

-- name: runs
-- In how many runs, of those that the latest calls belong to, a paid operation was asked about each field.
with latest as materialized (
  select c.job_id, q.provider || '.' || q.operation as operation, c.wanted
  from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
  where c.workspace_id = current_workspace() and c.state = 'settled' and c.verdict in ('match', 'no_match') and c.earlier is not null
  order by c.id desc limit %(most)s
)
select w.field, count(distinct l.job_id) as runs
from latest l join jsonb_to_recordset(%(gives)s) as g(operation text, fields text[]) on g.operation = l.operation
cross join lateral (select f as field from unnest(l.wanted) as f where f = any(g.fields)) w
where l.operation = any(%(paid)s::text[])
group by w.field
