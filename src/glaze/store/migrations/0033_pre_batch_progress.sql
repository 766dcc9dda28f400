-- How many rows at their end were told of last, and when: whoever follows a batch hears of it once a second.
alter table batch add column told integer not null default 0, add column told_at timestamptz;
grant select (told, told_at), update (told, told_at) on batch to glaze_queue;
-- until it is sent, the last word on a batch takes the place of the one before it
create index webhook_delivery_batch_progress on webhook_delivery (workspace_id, webhook_id, batch_id)
  where type = 'batch.progress' and state = 'pending';
