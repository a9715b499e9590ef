-- Purpose: pgvector, the schema two_tower for what no client calls by name, and the helpers of later migrations.
-- Schema public holds what clients know; two_tower is not exposed by PostgREST.

create schema if not exists extensions;
create extension if not exists vector with schema extensions;

do $$
declare
  v_version text;
  v_schema text;
begin
  select e.extversion, n.nspname into v_version, v_schema
  from pg_catalog.pg_extension as e
  join pg_catalog.pg_namespace as n on n.oid = e.extnamespace
  where e.extname = 'vector';

  if pg_catalog.string_to_array(pg_catalog.split_part(v_version, '-', 1), '.')::int[] < array[0, 8] then
    raise exception 'pgvector % has no iterative index scans', v_version
      using hint = 'Upgrade pgvector to 0.8 or newer and run: alter extension vector update';
  end if;
  -- Functions on vectors look for the type in these two schemas only, so that no other schema can stand in for it.
  if v_schema not in ('extensions', 'public') then
    raise exception 'pgvector lies in schema %, where the functions on vectors do not look', v_schema
      using hint = 'Run: alter extension vector set schema extensions';
  end if;
end
$$;

create schema if not exists two_tower;

revoke all on schema two_tower from public, anon, authenticated;
grant usage on schema two_tower to authenticated, service_role;

-- Tables of the contract that were there before: their owner's grants and row-level security stay as they are.
create table two_tower.adopted_tables (
  name text primary key
);

comment on table two_tower.adopted_tables is
  'Tables in schema public that existed before the first migration; their grants and row-level security are kept.';

revoke all on two_tower.adopted_tables from public, anon, authenticated, service_role;

insert into two_tower.adopted_tables (name)
select c.relname
from pg_catalog.pg_class as c
where c.relnamespace = 'public'::regnamespace
  and c.relkind in ('r', 'p')
  and c.relname in (
    'profiles', 'videos', 'tag_groups', 'tags', 'video_tags', 'performers', 'video_performers', 'user_video_decisions'
  );

-- A table that this project made answers to nobody until it grants; a table that was there keeps its doors.
create function two_tower.close_new_table(p_name text) returns void
  language plpgsql
  security invoker
  set search_path = ''
as $$
begin
  if exists (select from two_tower.adopted_tables as a where a.name = p_name) then
    return;
  end if;
  execute pg_catalog.format('alter table public.%I enable row level security', p_name);
  execute pg_catalog.format('revoke all on table public.%I from public, anon, authenticated, service_role', p_name);
end
$$;

-- A table that was there before may lack its key; one that was made here has it.
create function two_tower.require_key(p_name text, p_columns text[]) returns void
  language plpgsql
  security invoker
  set search_path = ''
as $$
begin
  if exists (
    select
    from pg_catalog.pg_index as i
    where i.indrelid = pg_catalog.format('public.%I', p_name)::regclass
      and i.indisunique
      and i.indpred is null
      and p_columns @> (
        select pg_catalog.array_agg(a.attname::text)
        from pg_catalog.pg_attribute as a
        where a.attrelid = i.indrelid and a.attnum = any (i.indkey)
      )
  ) then
    return;
  end if;
  execute pg_catalog.format(
    'create unique index %I on public.%I (%s)',
    'two_tower_' || p_name || '_key',
    p_name,
    (select pg_catalog.string_agg(pg_catalog.quote_ident(c), ', ') from pg_catalog.unnest(p_columns) as c)
  );
end
$$;

-- Two overloads with defaults are ambiguous to PostgREST, so every one goes before the function is made again.
create function two_tower.drop_overloads(p_name text) returns void
  language plpgsql
  security invoker
  set search_path = ''
as $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure
    from pg_catalog.pg_proc as p
    where p.pronamespace = 'public'::regnamespace
      and p.proname = p_name
  loop
    execute pg_catalog.format('drop function %s', v_function);
  end loop;
end
$$;

revoke all on function two_tower.close_new_table(text) from public, anon, authenticated, service_role;
revoke all on function two_tower.require_key(text, text[]) from public, anon, authenticated, service_role;
revoke all on function two_tower.drop_overloads(text) from public, anon, authenticated, service_role;
