-- What the order of asking is learned from. Calls made before this have no circumstances and teach nothing.

alter table call
  add column earlier  text[],   -- operations that had answered before it in its waterfall: the wanted is what they left
  add column asked_by text,     -- names of the identifiers that make up its question
  add column country  text,     -- of whom it is about, where that was known
  add column floor    smallint; -- confidence from which a value counts as found
