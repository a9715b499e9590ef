-- Purpose: whether a table holds anything at all; the name of the table is filled in.
select exists (select from public.{table})
