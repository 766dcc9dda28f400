-- How often an entity's winners changed, so that a score of older winners is told from one of these, whoever changed
-- them and as of whatever moment they were derived.

alter table entity add column winners_changed bigint not null default 0;
alter table icp_score add column winners_changed bigint; -- of both entities together; null: it has to be derived again

create function count_winners_changed() returns trigger language plpgsql set search_path = glaze, pg_temp as $$
begin
  update entity e set winners_changed = e.winners_changed + 1
  from (select distinct workspace_id, entity_id from touched order by workspace_id, entity_id) t
  where e.workspace_id = t.workspace_id and e.id = t.entity_id;
  return null;
end $$;
create trigger winners_made after insert on entity_field referencing new table as touched
  for each statement execute function count_winners_changed();
create trigger winners_changed after update on entity_field referencing new table as touched
  for each statement execute function count_winners_changed();
create trigger winners_gone after delete on entity_field referencing old table as touched
  for each statement execute function count_winners_changed();
