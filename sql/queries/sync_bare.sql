-- Purpose: how each key, pointer and index of a table is taken away and made again, pointers first; keys that other
-- tables point at are left out. Parameter: name.
with here as (
  select pg_catalog.format('public.%%I', %(name)s::text)::regclass as id
)
select p.take, p.make
from here
cross join lateral (
  select
    case c.contype when 'f' then 1 else 2 end as place,
    c.conname as name,
    pg_catalog.format('alter table %%s drop constraint %%I', here.id, c.conname) as take,
    pg_catalog.format('alter table %%s add constraint %%I %%s', here.id, c.conname, pg_catalog.pg_get_constraintdef(c.oid))
      as make
  from pg_catalog.pg_constraint as c
  where
    c.conrelid = here.id
    and c.contype in ('f', 'p', 'u')
    and not exists (
      select from pg_catalog.pg_constraint as f where f.contype = 'f' and f.conindid = c.conindid and c.contype <> 'f'
    )
  union all
  select
    3,
    i.indexrelid::regclass::text,
    pg_catalog.format('drop index %%s', i.indexrelid::regclass),
    pg_catalog.pg_get_indexdef(i.indexrelid)
  from pg_catalog.pg_index as i
  where
    i.indrelid = here.id
    and not exists (select from pg_catalog.pg_constraint as c where c.conindid = i.indexrelid)
) as p
order by p.place, p.name
