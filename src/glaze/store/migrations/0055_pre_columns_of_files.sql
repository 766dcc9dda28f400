-- What stood in the columns of a file that are taken for nothing: it is shown beside, and goes out again with the rest.

alter table batch add column columns jsonb;      -- of its file, in order: [[name, input word or null], ...]; null: it came from no file
alter table batch_row add column carried jsonb;  -- {column: value} of the columns that are taken for nothing
