-- name: create
-- A workflow, whose steps follow in the same transaction.
insert into workflow (workspace_id, name) values (current_workspace(), %(name)s) returning id

-- name: new_ids
-- Ids for steps that name one another.
select nextval('job_id_seq') as id from generate_series(1, %(n)s)

-- name: get
-- A workflow, without its steps.
select id, name, created_at from workflow where workspace_id = current_workspace() and id = %(workflow)s

-- name: nodes
-- Its steps, in the order of their declaration.
select id, step, kind, state::text, error, started_at, finished_at from job
where workspace_id = current_workspace() and workflow_id = %(workflow)s order by id

-- name: edges
-- Who comes after whom.
select child_id, parent_id, batch_id, if_failed::text from job_edge
where workspace_id = current_workspace() and child_id = any(%(jobs)s::bigint[]) order by child_id, parent_id, batch_id
