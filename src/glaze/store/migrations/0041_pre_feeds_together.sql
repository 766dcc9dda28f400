-- What changes is read for all workspaces at once by who tells it to their subscribers; what events say stays unseen.
grant select (workspace_id, id, xid, at, type, job_id, batch_id) on event to glaze_queue;
