-- Purpose: add rows that are not there yet and whose parents are.
insert into public.{table} ({columns})
select {values}
from {rows} as s
where not exists (select from public.{table} as t where {same_key}) and {has_parents}
