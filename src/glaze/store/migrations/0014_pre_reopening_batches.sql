-- A batch whose failed rows are opened again stands still meanwhile, and must run on whoever was interrupted at it.
alter table batch add column reopening boolean not null default false;
