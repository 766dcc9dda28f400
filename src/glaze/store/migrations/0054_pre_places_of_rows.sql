-- Whom a row names, by keys as they lead to entities: a table can be sorted and searched without reading every
-- input anew.

alter table batch_row add column places jsonb;  -- {"company": [[scheme, key], ...]}, the strongest first; null: not worked out yet
