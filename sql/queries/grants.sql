-- Purpose: what anon, authenticated and service_role may do with each function, table and column of the schemas public
-- and two_tower, one privilege a row; an object without any has one row with null for both, and a column names only who
-- may not read the whole table. What belongs to an extension, and the migrator's own record, are left out.
with objects as (
  select
    'function' as kind,
    pg_catalog.regexp_replace(p.oid::regprocedure::text, '(extensions|public)\.vector', 'vector', 'g') as name,
    p.oid,
    null::int2 as place,
    array['execute'] as privileges
  from pg_catalog.pg_proc as p
  where p.pronamespace in (select n.oid from pg_catalog.pg_namespace as n where n.nspname in ('public', 'two_tower'))
    and not exists (
      select from pg_catalog.pg_depend as d
      where d.classid = 'pg_catalog.pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e'
    )
  union all
  select 'table', c.oid::regclass::text, c.oid, null, array['select', 'insert', 'update', 'delete']
  from pg_catalog.pg_class as c
  where c.relkind in ('r', 'v', 'p')
    and c.relname <> 'schema_migrations'
    and c.relnamespace in (select n.oid from pg_catalog.pg_namespace as n where n.nspname in ('public', 'two_tower'))
  union all
  select 'column', c.oid::regclass::text || '.' || a.attname, c.oid, a.attnum, array['select']
  from pg_catalog.pg_class as c
  join pg_catalog.pg_attribute as a on a.attrelid = c.oid and a.attacl is not null and a.attnum > 0
  where c.relnamespace in (select n.oid from pg_catalog.pg_namespace as n where n.nspname in ('public', 'two_tower'))
)
select o.kind, o.name, g.role, g.privilege
from objects as o
left join lateral (
  select r.rolname as role, v.privilege
  from pg_catalog.pg_roles as r
  cross join unnest(o.privileges) as v (privilege)
  where r.rolname in ('anon', 'authenticated', 'service_role')
    and case o.kind
      when 'function' then pg_catalog.has_function_privilege(r.oid, o.oid, v.privilege)
      when 'table' then pg_catalog.has_table_privilege(r.oid, o.oid, v.privilege)
      else pg_catalog.has_column_privilege(r.oid, o.oid, o.place, v.privilege)
        and not pg_catalog.has_table_privilege(r.oid, o.oid, v.privilege)
    end
) as g on true
order by 1, 2, 3, 4;
