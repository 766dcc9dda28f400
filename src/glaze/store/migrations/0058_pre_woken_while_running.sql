-- What a job goes to sleep for may be there before it sleeps: the claim in which that was so.
alter table job
  add column woken_in    integer;           -- the claim in which it was woken while it ran
