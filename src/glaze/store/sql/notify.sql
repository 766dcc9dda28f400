-- name: notify
-- One hint a queue.
select pg_notify('glaze_due', payload) from unnest(%(payloads)s::text[]) payload

-- name: listen
-- Hear all queues; a worker passes over those that are not its own.
listen glaze_due
