-- Purpose: whether a table's keys, pointers and indexes are this project's to take away: it was not there before, and
-- its owner is who asks. Tells also whether other tables point at it. Parameter: name.
select
  pg_catalog.pg_has_role(c.relowner, 'usage') and not exists (
    select from two_tower.adopted_tables as a where a.name = %(name)s
  ),
  exists (select from pg_catalog.pg_constraint as f where f.confrelid = c.oid and f.contype = 'f')
from pg_catalog.pg_class as c
where c.oid = pg_catalog.format('public.%%I', %(name)s::text)::regclass
