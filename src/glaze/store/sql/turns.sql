-- name: take
-- Rows that are not there yet cannot be locked, so what they are about is.
select pg_advisory_xact_lock(hashtextextended(%(what)s, current_workspace()))
