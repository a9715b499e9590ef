-- Purpose: the columns of tables and views in schema public. Parameter: tables.
select c.relname::text, a.attname::text
from pg_catalog.pg_class as c
join pg_catalog.pg_attribute as a on a.attrelid = c.oid
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p', 'v', 'm', 'f')
  and c.relname = any (%(tables)s)
  and a.attnum > 0
  and not a.attisdropped
