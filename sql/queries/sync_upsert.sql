-- Purpose: add rows that are not there yet and whose parents are, and change those that are there and differ; one
-- descent of the key's index a row. Returns how many were added and how many changed.
with written as (
  insert into public.{table} as t ({columns})
  select {values}
  from {rows} as s
  where {has_parents}
  on conflict ({key}) {otherwise}
  -- A row that was there keeps the mark of the lock under which it was changed.
  returning t.xmax = 0 as is_new
)
select count(*) filter (where w.is_new), count(*) filter (where not w.is_new) from written as w
