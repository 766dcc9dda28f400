-- Workspaces are made by whoever runs the place, with the rights of the queue's role: it sees their names, never their keys.
grant select (id, name, created_at), insert (name) on workspace to glaze_queue;
create policy made on workspace for insert to glaze_queue with check (true);
