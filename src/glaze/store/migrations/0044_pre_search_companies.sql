-- Searches may be for companies; and what was paid for somebody whom nobody may enrich goes back to the credit.

alter table search add column about text not null default 'people' check (about in ('people', 'companies'));
alter table search add column returned_cents bigint not null default 0 check (returned_cents >= 0);
