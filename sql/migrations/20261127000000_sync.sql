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

-- The statement that sums up ranges of the key's first column. It is text so that it can be asked of a database without
-- it. $1 is their lower bounds, ascending; $2 of adjacent ranges is the upper bound of the last one, exclusive, or
-- null; $2 of scattered ones is an array of their upper bounds.
-- A range's digest is the sum, without overflow, of a 64-bit hash a row. Of two sides that differ, a range is taken for
-- equal with a chance of about 2^-64; hashtextextended is no cryptographic hash, so that rows made on purpose may pass.
create function two_tower.sync_ranges_sql(p_table text, p_key text[], p_columns text[], p_scattered boolean)
  returns text
  language plpgsql
  stable
  security invoker
  set search_path = ''
as $$
declare
  v_key text := pg_catalog.format('pg_catalog.uuid_hash_extended(t.%I::pg_catalog.uuid, 1)', p_key[1]);
  v_hash text := 'r.k';
  v_rows text;
  v_each text;
  v_covered text;
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
  v_rows := pg_catalog.format(
    'count(*) as n, pg_catalog.sum(%s)::text as digest from public.%I as t cross join lateral (select %s as k) as r',
    v_hash,
    p_table,
    v_key
  );
  v_each := pg_catalog.format(
    'select w.place::int, s.n, s.digest '
    'from unnest($1::pg_catalog.uuid[], %%s) with ordinality as w (lower_id, upper_id, place) '
    'cross join lateral (select %2$s where t.%1$I::pg_catalog.uuid >= w.lower_id '
    'and t.%1$I::pg_catalog.uuid <= coalesce(w.upper_id, ''ffffffff-ffff-ffff-ffff-ffffffffffff'') '
    'and t.%1$I::pg_catalog.uuid is distinct from w.upper_id) as s where s.n > 0',
    p_key[1],
    v_rows
  );
  if p_scattered then
    return pg_catalog.format(v_each, '$2::pg_catalog.uuid[]');
  end if;
  -- Adjacent ranges are walked one by one too where an index alone has what is hashed; otherwise the table is read once
  -- and each row put into its range, which costs more than hashing it. Of the two parts one runs.
  v_covered := pg_catalog.format(
    'exists (select from pg_catalog.pg_index as i join pg_catalog.pg_class as c on c.oid = i.indrelid '
    'where i.indrelid = %1$L::pg_catalog.regclass and i.indisvalid and i.indpred is null and i.indexprs is null '
    'and c.relallvisible > 0.5 * c.relpages and i.indkey[0] = (select a.attnum from pg_catalog.pg_attribute as a '
    'where a.attrelid = i.indrelid and a.attname = %2$L) and not exists (select from pg_catalog.pg_attribute as a '
    'where a.attrelid = i.indrelid and a.attname = any (%3$L::pg_catalog.name[]) and a.attnum <> all (i.indkey)))',
    pg_catalog.format('public.%I', p_table),
    p_key[1],
    p_columns
  );
  return pg_catalog.format(
    'select pg_catalog.width_bucket(t.%1$I::pg_catalog.uuid, $1::pg_catalog.uuid[]), %2$s where not %3$s '
    'and t.%1$I::pg_catalog.uuid >= ($1::pg_catalog.uuid[])[1] '
    'and ($2::pg_catalog.uuid is null or t.%1$I::pg_catalog.uuid < $2::pg_catalog.uuid) group by 1 '
    'union all %4$s and %3$s',
    p_key[1],
    v_rows,
    v_covered,
    pg_catalog.format(v_each, 'pg_catalog.array_append(($1::pg_catalog.uuid[])[2:], $2::pg_catalog.uuid)')
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

-- One answer and not rows, which a server may cut. With p_uppers the ranges may be scattered; without, each ends where
-- the next begins, and the last one at p_before.
create function public.get_sync_ranges(
  p_table text,
  p_key text[],
  p_columns text[],
  p_bounds uuid[],
  p_before uuid default null,
  p_uppers uuid[] default null
) returns jsonb
  language plpgsql
  stable
  security invoker
  set search_path = ''
  set timezone = 'UTC'
as $$
declare
  v_statement text := 'select pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(q.a, q.b, q.c)) from ('
    || two_tower.sync_ranges_sql(p_table, p_key, p_columns, p_uppers is not null) || ') as q (a, b, c)';
  v_ranges jsonb;
begin
  if p_uppers is null then
    execute v_statement into v_ranges using p_bounds, p_before;
  else
    execute v_statement into v_ranges using p_bounds, p_uppers;
  end if;
  return pg_catalog.jsonb_build_object(
    'database', two_tower.database_identity(), 'ranges', coalesce(v_ranges, '[]'::jsonb)
  );
end
$$;

comment on function public.get_sync_ranges(text, text[], text[], uuid[], uuid, uuid[]) is
  'Row count and hash of each range of ids of a source table, for finding what changed or was deleted.';

revoke all on function two_tower.sync_value(text, text) from public, anon, authenticated, service_role;
revoke all on function two_tower.sync_value_hash(text, text, int) from public, anon, authenticated, service_role;
revoke all on function two_tower.sync_ranges_sql(text, text[], text[], boolean) from public, anon, authenticated, service_role;
revoke all on function two_tower.database_identity() from public, anon, authenticated, service_role;
revoke all on function public.get_sync_ranges(text, text[], text[], uuid[], uuid, uuid[])
  from public, anon, authenticated, service_role;
grant execute on function two_tower.sync_value(text, text) to service_role;
grant execute on function two_tower.sync_value_hash(text, text, int) to service_role;
grant execute on function two_tower.sync_ranges_sql(text, text[], text[], boolean) to service_role;
grant execute on function two_tower.database_identity() to service_role;
grant execute on function public.get_sync_ranges(text, text[], text[], uuid[], uuid, uuid[]) to service_role;

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
