-- Purpose: ranges that do not touch are summed up through the index, so that a closer look, and the look after a few
-- ranges were read again, cost what these ranges hold and not what the table holds.

drop function public.get_sync_ranges(text, text[], text[], uuid[], uuid);
drop function two_tower.sync_ranges_sql(text, text[], text[]);

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

revoke all on function two_tower.sync_ranges_sql(text, text[], text[], boolean)
  from public, anon, authenticated, service_role;
revoke all on function public.get_sync_ranges(text, text[], text[], uuid[], uuid, uuid[])
  from public, anon, authenticated, service_role;
grant execute on function two_tower.sync_ranges_sql(text, text[], text[], boolean) to service_role;
grant execute on function public.get_sync_ranges(text, text[], text[], uuid[], uuid, uuid[]) to service_role;

notify pgrst, 'reload schema';
