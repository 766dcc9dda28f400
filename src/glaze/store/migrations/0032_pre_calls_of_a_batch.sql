-- The calls of a batch after an id, for whoever sums them up while they come.
create index call_of_batch on call (batch_id, id) where batch_id is not null;
drop index call_batch;
