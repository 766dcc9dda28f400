-- How many attempts at an endpoint are under way is asked with each: however much waits, only those are looked at.
create index webhook_delivery_claimed on webhook_delivery (workspace_id, webhook_id, claimed_until)
where state = 'pending' and claimed_until is not null;
