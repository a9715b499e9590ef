-- Purpose: bringing rows from a project into the pipeline's Postgres: what both sides say of ranges of ids, and how far
-- a pull is. A project that is only read needs nothing of this; with it, changed and deleted rows are found over REST.

-- Every value is cast to the contract's type, and what may not be null here has its default, so that a source whose
-- columns are of other types or nullable gives the same sums as its copy.
create function two_tower.sync_value(p_table text, p_column text) returns text
  language sql
  immutable
  security invoker
  set search_path = ''
as $$
  select case
    when p_column in ('id', 'user_id', 'video_id', 'tag_id', 'performer_id', 'tag_group_id') then
      pg_catalog.format('t.%I::pg_catalog.uuid', p_column)
    when p_table = 'videos' and p_column = 'created_at' then
      'coalesce(t.created_at::timestamptz, timestamptz ''1970-01-01 00:00:00+00'')'
    when p_column in ('created_at', 'distribution_started_at', 'product_released_at', 'published_at') then
      pg_catalog.format('t.%I::timestamptz', p_column)
    when p_column = 'price' then 't.price::numeric'
    when p_column = 'duration_seconds' then 't.duration_seconds::int'
    when p_column = 'safety_level' then 'coalesce(t.safety_level::smallint, 0::smallint)'
    when p_column = 'is_active' then 'coalesce(t.is_active::boolean, true)'
    when p_column = 'image_urls' then 't.image_urls::text[]'
    when p_column = 'region_codes' then 'coalesce(t.region_codes::text[], ''{}'')'
    else pg_catalog.format('t.%I::text', p_column)
  end
$$;

-- A hash of one value, seeded with the row's key and the column's place: values that change places are seen.
-- These hash functions have given the same numbers in every version since 11; a difference only costs a second look.
create function two_tower.sync_value_hash(p_table text, p_column text, p_place int) returns text
  language sql
  immutable
  security invoker
  set search_path = ''
as $$
  select pg_catalog.format(
    case
      when v.kind = 'uuid' then 'coalesce(pg_catalog.uuid_hash_extended(%1$s, r.k # %2$s), 0)'
      when v.kind = 'time' then
        'coalesce(pg_catalog.timestamp_hash_extended((%1$s) at time zone ''UTC'', r.k # %2$s), 0)'
      else 'coalesce(pg_catalog.hashtextextended((%1$s)::text collate "C", r.k # %2$s), 0)'
    end,
    two_tower.sync_value(p_table, p_column),
    p_place
  )
  from (
    select case
      when p_column = 'tag_group_id' then 'uuid'
      when p_column in ('created_at', 'distribution_started_at', 'product_released_at', 'published_at') then 'time'
    end as kind
  ) as v
$$;

-- The statement that sums up ranges of the key's first column. Its parameters: $1 the lower bounds, ascending; $2 the
-- upper bound of the last range, exclusive, or null. It is text so that it can be asked of a database without it.
create function two_tower.sync_ranges_sql(p_table text, p_key text[], p_columns text[]) returns text
  language plpgsql
  stable
  security invoker
  set search_path = ''
as $$
declare
  v_key text := pg_catalog.format('pg_catalog.uuid_hash_extended(t.%I::pg_catalog.uuid, 1)', p_key[1]);
  v_hash text := 'r.k';
begin
  if p_table not in (
    'profiles', 'videos', 'tag_groups', 'tags', 'video_tags', 'performers', 'video_performers', 'user_video_decisions'
  ) then
    raise exception 'table % is not one that is synchronised', p_table using errcode = 'invalid_parameter_value';
  end if;
  if pg_catalog.cardinality(p_key) = 2 then
    v_key := pg_catalog.format('pg_catalog.uuid_hash_extended(t.%I::pg_catalog.uuid, %s)', p_key[2], v_key);
  end if;
  for i in 1 .. pg_catalog.cardinality(p_columns) loop
    if p_columns[i] <> all (p_key) then
      v_hash := v_hash || ' # ' || two_tower.sync_value_hash(p_table, p_columns[i], i);
    end if;
  end loop;
  return pg_catalog.format(
    'select pg_catalog.width_bucket(t.%1$I::pg_catalog.uuid, $1::pg_catalog.uuid[]), count(*), pg_catalog.sum(%4$s)::text '
    'from public.%2$I as t cross join lateral (select %3$s as k) as r '
    'where t.%1$I::pg_catalog.uuid >= ($1::pg_catalog.uuid[])[1] '
    'and ($2::pg_catalog.uuid is null or t.%1$I::pg_catalog.uuid < $2::pg_catalog.uuid) group by 1',
    p_key[1],
    p_table,
    v_key,
    v_hash
  );
end
$$;

-- Which database this is, to tell a source from its copy without any right.
create function two_tower.database_identity() returns text
  language sql
  stable
  security invoker
  set search_path = ''
as $$
  select pg_catalog.format(
    '%s/%s',
    (extract(epoch from pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint,
    (select d.oid from pg_catalog.pg_database as d where d.datname = pg_catalog.current_database())
  )
$$;

-- One answer and not rows, which a server may cut.
create function public.get_sync_ranges(
  p_table text, p_key text[], p_columns text[], p_bounds uuid[], p_before uuid default null
) returns jsonb
  language plpgsql
  stable
  security invoker
  set search_path = ''
  set timezone = 'UTC'
as $$
declare
  v_ranges jsonb;
begin
  execute 'select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(q.a, q.b, q.c)) from ('
    || two_tower.sync_ranges_sql(p_table, p_key, p_columns) || ') as q (a, b, c)'
    into v_ranges
    using p_bounds, p_before;
  return pg_catalog.jsonb_build_object(
    'database', two_tower.database_identity(), 'ranges', coalesce(v_ranges, '[]'::jsonb)
  );
end
$$;

comment on function public.get_sync_ranges(text, text[], text[], uuid[], uuid) is
  'Row count and hash of each range of ids of a source table, for finding what changed or was deleted.';

revoke all on function two_tower.sync_value(text, text) from public, anon, authenticated, service_role;
revoke all on function two_tower.sync_value_hash(text, text, int) from public, anon, authenticated, service_role;
revoke all on function two_tower.sync_ranges_sql(text, text[], text[]) from public, anon, authenticated, service_role;
revoke all on function two_tower.database_identity() from public, anon, authenticated, service_role;
revoke all on function public.get_sync_ranges(text, text[], text[], uuid[], uuid)
  from public, anon, authenticated, service_role;
grant execute on function two_tower.sync_value(text, text) to service_role;
grant execute on function two_tower.sync_value_hash(text, text, int) to service_role;
grant execute on function two_tower.sync_ranges_sql(text, text[], text[]) to service_role;
grant execute on function two_tower.database_identity() to service_role;
grant execute on function public.get_sync_ranges(text, text[], text[], uuid[], uuid) to service_role;

create table two_tower.sync_tables (
  name text primary key,
  watermark timestamptz not null
);

comment on table two_tower.sync_tables is
  'Tables that a sync has brought once: rows created before the watermark are here.';

create table two_tower.sync_ranges (
  name text not null,
  place int not null,
  source text not null,
  lower_id uuid not null,
  upper_id uuid,
  since timestamptz,
  after_key uuid[],
  is_read boolean not null default false,
  staged_rows bigint not null default 0,
  primary key (name, place)
);

comment on table two_tower.sync_ranges is
  'Ranges that a sync is reading into its staging table, with the last key read; a killed sync goes on from here.';

create table two_tower.sync_origin (
  source text primary key
);

comment on table two_tower.sync_origin is
  'The source whose sync was begun here, noted before its first row arrives.';

revoke all on two_tower.sync_tables, two_tower.sync_ranges, two_tower.sync_origin from public, anon, authenticated, service_role;

notify pgrst, 'reload schema';
