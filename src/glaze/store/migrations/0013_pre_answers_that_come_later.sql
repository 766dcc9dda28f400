-- Answers that come later: what it takes to ask for them when nobody who wants them is at hand.

alter table call
  add column resend text not null default 'never' check (resend in ('safe', 'idempotent', 'collect', 'never')),
  add column asked jsonb,                     -- identifiers and entities of the question, until it is settled
  add column collect_until timestamptz,       -- past it a promised answer is given up; null: none may come
  add column polls smallint not null default 0;
-- What is due: sending past its deadline, pending at its time unless somebody is asking for it right now.
drop index call_open;
create index call_due on call ((greatest(poll_at, deadline)), workspace_id) where state in ('sending', 'pending_vendor');

-- The fleet's duty sees where something is due, and nothing of what.
create policy due_only on call for select to glaze_queue using (state in ('sending', 'pending_vendor'));
grant select (workspace_id, state, poll_at, deadline) on call to glaze_queue;

-- Callbacks of vendors, each body once.
create table callback (
  workspace_id bigint not null references workspace,
  call_id     bigint not null,
  digest      bytea not null,               -- HMAC-SHA256 of the body under the workspace's key
  arrived_at  timestamptz not null default clock_timestamp(),
  primary key (workspace_id, call_id, digest),
  foreign key (workspace_id, call_id) references call on delete cascade
);
alter table callback enable row level security;
alter table callback force row level security;
create policy workspace_only on callback to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace());
grant select, insert, update, delete on callback to glaze_app;
