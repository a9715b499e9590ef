-- Purpose: the nearest videos to a user vector among those that may be shown.
set search_path = extensions, public;

-- A function that sets a parameter of pgvector can be made only after the library has told Postgres its parameters.
select '[1]'::vector;

-- The videos a request admits, as the condition on alias v. $1 vector, $2 limit, $3 banned tags, $4 safety level,
-- $5 regions, $6 excluded videos, $7 released before. Conditions that ask nothing are left out, so that the
-- planner sees what a request really restricts.
create function two_tower.admissible(
  p_banned_tag_ids uuid[],
  p_max_safety_level int,
  p_allowed_regions text[],
  p_exclude_video_ids uuid[],
  p_released_before timestamptz
) returns text
  language sql immutable
  security invoker
  set search_path = ''
as $$
  select pg_catalog.concat_ws(
    ' and ',
    'v.is_active',
    case when p_max_safety_level is not null then 'coalesce(v.safety_level, 0) <= $4' end,
    case when pg_catalog.cardinality(p_allowed_regions) > 0 then
      '(coalesce(pg_catalog.cardinality(v.region_codes), 0) = 0 or v.region_codes::text[] && $5)'
    end,
    case when p_released_before is not null then
      '(v.product_released_at is null or v.product_released_at < $7)'
    end,
    case when pg_catalog.cardinality(p_exclude_video_ids) > 0 then 'v.id <> all (pg_catalog.array_remove($6, null))' end,
    case when pg_catalog.cardinality(p_banned_tag_ids) > 0 then
      'not exists (select from public.video_tags as t where t.video_id = v.id and t.tag_id = any ($3))'
    end
  )
$$;

-- The name of the live version's table, read once: the search then reads that table whatever is released
-- meanwhile, so no answer mixes versions. Refuses a vector of another version.
create function two_tower.live_vector_table(p_model_version text) returns text
  language plpgsql stable
  security invoker
  set search_path = ''
as $$
declare
  v_version text;
  v_table text;
begin
  select l.model_version, r.vector_table into v_version, v_table
  from public.live_release as l
  join public.model_releases as r using (model_version);

  -- PostgREST answers `PT…` with the HTTP status in the last three digits.
  if v_version is null then
    raise exception 'No release is live'
      using errcode = 'PT503', hint = 'Publish a release (two-tower run, or the asset publishing/release).';
  end if;
  if p_model_version <> v_version then
    raise exception 'The vector is of version %, the live release is %', p_model_version, v_version
      using errcode = 'PT409', hint = 'Embed the user with the live version''s model and ask again.';
  end if;
  return v_table;
end
$$;

-- Settings named in the head are put back when the function returns; the body sets ef_search by the limit. Reads
-- are priced as from memory: by the default price, that of a disk's seeks, the planner shuns the index. The
-- index is walked further until enough admissible videos are found or its bounds are met; what it then lacks is
-- found by exact search.
create function two_tower.nearest(
  p_table text,
  p_condition text,
  p_embedding vector,
  p_limit int,
  p_banned_tag_ids uuid[],
  p_max_safety_level int,
  p_allowed_regions text[],
  p_exclude_video_ids uuid[],
  p_released_before timestamptz
) returns table (video_id uuid, distance float8)
  language plpgsql stable
  security invoker
  set search_path = extensions, public, pg_temp
  set hnsw.iterative_scan = 'relaxed_order'
  set hnsw.ef_search = 200
  set random_page_cost = 1.1
as $$
declare
  -- Adding zero hides the order from the index.
  v_orders text[] := array['e.embedding <=> $1', '(e.embedding <=> $1) + 0'];
  v_order text;
  v_ids uuid[];
  v_distances float8[];
begin
  perform set_config('hnsw.ef_search', least(greatest(200, 4 * p_limit), 1000)::text, true);
  foreach v_order in array v_orders loop
    execute format(
      'select array_agg(n.id order by n.distance, n.id), array_agg(n.distance order by n.distance, n.id)
       from (
         select e.video_id as id, e.embedding <=> $1 as distance
         from %s as e
         join public.videos as v on v.id = e.video_id
         where %s
         order by %s
         limit $2
       ) as n', p_table, p_condition, v_order
    )
    into v_ids, v_distances
    using p_embedding, p_limit, p_banned_tag_ids, p_max_safety_level, p_allowed_regions, p_exclude_video_ids,
      p_released_before;
    exit when cardinality(v_ids) = p_limit;
  end loop;
  return query select u.id, u.distance from unnest(v_ids, v_distances) as u (id, distance);
end
$$;

select two_tower.drop_overloads('recommend_videos_ann');

create function public.recommend_videos_ann(
  p_embedding vector,
  p_limit int default 50,
  p_banned_tag_ids uuid[] default null,
  p_max_safety_level int default 1,
  p_allowed_regions text[] default null,
  p_exclude_video_ids uuid[] default null,
  p_released_before timestamptz default null,
  p_model_version text default null
) returns table (video_id uuid, distance float8, similarity float8)
  language plpgsql stable
  security invoker
  set search_path = extensions, public, pg_temp
  rows 50
as $$
declare
  v_table text := two_tower.live_vector_table(p_model_version);
begin
  if p_embedding is null or vector_dims(p_embedding) <> 256 or vector_norm(p_embedding) = 0 then
    raise exception 'p_embedding has % dimensions and length %',
      coalesce(vector_dims(p_embedding)::text, 'no'), coalesce(vector_norm(p_embedding)::text, 'unknown')
      using errcode = 'invalid_parameter_value', hint = 'Give the 256 numbers of a user embedding, not all zero.';
  end if;
  return query
  select n.video_id, n.distance, 1 - n.distance
  from two_tower.nearest(
    v_table,
    two_tower.admissible(
      p_banned_tag_ids, p_max_safety_level, p_allowed_regions, p_exclude_video_ids, p_released_before
    ),
    p_embedding,
    least(greatest(coalesce(p_limit, 50), 1), 500),
    p_banned_tag_ids,
    p_max_safety_level,
    p_allowed_regions,
    p_exclude_video_ids,
    p_released_before
  ) as n
  order by n.distance, n.video_id;
end
$$;

comment on function public.recommend_videos_ann(vector, int, uuid[], int, text[], uuid[], timestamptz, text) is
  'The p_limit (1…500) nearest admissible videos of the live release; as many rows as asked whenever so many qualify.';

revoke all on function two_tower.admissible(uuid[], int, text[], uuid[], timestamptz)
  from public, anon, authenticated, service_role;
revoke all on function two_tower.live_vector_table(text) from public, anon, authenticated, service_role;
revoke all on function two_tower.nearest(text, text, vector, int, uuid[], int, text[], uuid[], timestamptz)
  from public, anon, authenticated, service_role;
revoke all on function public.recommend_videos_ann(vector, int, uuid[], int, text[], uuid[], timestamptz, text)
  from public, anon, authenticated, service_role;

grant execute on function two_tower.admissible(uuid[], int, text[], uuid[], timestamptz)
  to authenticated, service_role;
grant execute on function two_tower.live_vector_table(text) to authenticated, service_role;
grant execute on function two_tower.nearest(text, text, vector, int, uuid[], int, text[], uuid[], timestamptz)
  to authenticated, service_role;
grant execute on function public.recommend_videos_ann(vector, int, uuid[], int, text[], uuid[], timestamptz, text)
  to authenticated, service_role;

reset search_path;
