-- What a batch's rows are followed by in logs and among vendors' requests, and who may count workspaces.

alter table batch add column correlation_id text;

-- retention goes workspace by workspace; the queue role learns their ids and nothing else
create policy whole_fleet on workspace for select to glaze_queue using (true);
grant select (id) on workspace to glaze_queue;
