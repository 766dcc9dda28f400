-- Indexes lead with what selects. Ids are the whole fleet's, so the workspace need not stand before them: and
-- where it does, a plan made while a table was small and kept (foreign keys keep theirs until the next ANALYZE)
-- reads all of a workspace to find one row. Row level security filters what is found.

drop index event_job;
create index event_job on event (job_id) where job_id is not null;

alter table question drop constraint question_workspace_id_credential_provider_operation_flags_k_key;
alter table question add constraint question_once unique (key, workspace_id, credential, provider, operation, flags);

alter table call drop constraint call_workspace_id_question_id_generation_key;
alter table call add constraint generation_once unique (question_id, generation);
drop index call_job, call_batch;
create index call_job on call (job_id);
create index call_batch on call (batch_id) where batch_id is not null;

drop index entity_merged, entity_key_of, observation_entity, observation_call;
create index entity_merged on entity (merged_into) where merged_into is not null;
create index entity_key_of on entity_key (entity_id);
create index observation_entity on observation (entity_id, field);
create index observation_call on observation (call_id);

-- Permits: the slots that are free come first, however many a window has.
create index rate_slot_free on rate_slot (provider, credential, window_s, free_at);
