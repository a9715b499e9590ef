-- Purpose: the first rows of an empty table: those whose parents are there.
insert into public.{table} ({columns})
select {values}
from {rows} as s
where {has_parents}
