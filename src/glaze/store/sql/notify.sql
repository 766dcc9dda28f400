-- name: notify
-- One hint a queue.
select pg_notify('glaze_due', payload) from unnest(%(payloads)s::text[]) payload

-- name: notify_ended
-- Something has ended; who waits looks whether it was theirs.
select pg_notify('glaze_ended', '')

-- name: listen_for_ends
-- Hear that something has ended.
listen glaze_ended

-- name: listen
-- Hear all queues; a worker passes over those that are not its own.
listen glaze_due

-- name: listen_drain
-- Hear which workers are asked to end.
listen glaze_drain
