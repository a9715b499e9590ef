-- Purpose: rows of a table.
select count(*) from public.{table}
