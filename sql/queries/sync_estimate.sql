-- Purpose: about how many rows a table has; a table without statistics is taken for one with rows of 100 bytes.
-- Parameter: name.
select
  case
    when c.reltuples > 0 then c.reltuples
    else pg_catalog.pg_relation_size(c.oid) / 100
  end::bigint
from pg_catalog.pg_class as c
where c.oid = pg_catalog.format('public.%%I', %(name)s::text)::regclass
