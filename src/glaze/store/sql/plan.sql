-- name: brought
-- How often the latest answers of each operation stated these identifiers, wanted or not; a null field counts the answers.
with latest as materialized (
  select c.id, q.provider || '.' || q.operation as operation
  from call c join question q on q.workspace_id = c.workspace_id and q.id = c.question_id
  where c.workspace_id = current_workspace() and c.state = 'settled' and c.verdict in ('match', 'no_match')
  order by c.id desc limit %(most)s
)
select operation, null as field, count(*) as times from latest group by operation
union all
select l.operation, o.field, count(distinct l.id) as times
from latest l join observation o on o.workspace_id = current_workspace() and o.call_id = l.id
where o.field = any(%(fields)s::text[]) group by l.operation, o.field

-- name: answered
-- Which of these questions would cost nothing now: answered freshly, under way, or not to be asked again.
select a.ord
from (
  select r.*, decode(r.hex, 'hex') as key
  from jsonb_to_recordset(%(questions)s) as r(ord int, credential text, provider text, operation text, flags text, hex text) offset 0
) a
join question q on q.workspace_id = current_workspace()
  and (q.credential, q.provider, q.operation, q.flags, q.key) = (a.credential, a.provider, a.operation, a.flags, a.key)
join call c on c.workspace_id = q.workspace_id and c.id = q.call_id
where c.state in ('sending', 'pending_vendor', 'unknown')
  or (c.state = 'settled' and (c.verdict = 'suppressed_legal'
      or c.settled_at >= case when c.verdict = 'match' then %(fresh)s::timestamptz else %(miss_fresh)s::timestamptz end))
