-- name: patience
-- For how long a lock is waited for: a killed holder's goes when the server notices that its connection is gone.
set lock_timeout = '2s'

-- name: lock
-- Held until this session ends.
select pg_advisory_lock(%(key)s)

-- name: still
-- Whether the session is still there, and with it the lock.
select 1
