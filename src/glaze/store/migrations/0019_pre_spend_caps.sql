-- Caps that hold from one period to the next, and prices that a vendor has passed.

create table spend_cap (
  workspace_id bigint not null references workspace,
  provider    text not null,                -- '': the whole workspace, per day; else one provider, per month; UTC
  cap_micros  bigint not null check (cap_micros >= 0),
  primary key (workspace_id, provider)
);
alter table workspace drop column daily_cap_micros;  -- nothing ever read it

-- An operation that billed more than was reserved: not asked at that price any more.
create table paused_price (
  workspace_id bigint not null references workspace,
  provider    text not null,
  operation   text not null,
  reserved_micros bigint not null,          -- for one question
  billed_micros bigint not null,            -- for one question; who reserves as much may ask again
  request_id  bigint not null,              -- that showed it
  paused_at   timestamptz not null default clock_timestamp(),
  primary key (workspace_id, provider, operation),
  foreign key (workspace_id, request_id) references vendor_request
);

do $$
declare t text;
begin
  foreach t in array array['spend_cap', 'paused_price'] loop
    execute format('alter table %I enable row level security', t);
    execute format('alter table %I force row level security', t);
    execute format('create policy workspace_only on %I to glaze_app using (workspace_id = current_workspace()) with check (workspace_id = current_workspace())', t);
    execute format('grant select, insert, update, delete on %I to glaze_app', t);
  end loop;
end $$;
