-- Purpose: a version's HNSW index over float32 or over float16 numbers. The table keeps float32 either way, so what
-- callers read and upsert is the same; an index of halves takes half the memory, and what it finds is put in order
-- by the exact distances.
set search_path = extensions, public;

alter table public.model_releases
  add column vector_index text not null default 'vector' check (vector_index in ('vector', 'halfvec'));

comment on column public.model_releases.vector_index is
  'What the numbers in the version''s HNSW index are: float32 (vector) or float16 (halfvec).';

grant select (vector_index) on public.model_releases to authenticated;

-- What a search orders by, on alias e: the expression that the version's index is made of.
create function two_tower.index_order(p_vector_index text) returns text
  language sql immutable strict parallel safe
  security invoker
  set search_path = ''
  return case p_vector_index
    when 'halfvec' then 'e.embedding::halfvec(256) <=> $1::halfvec(256)'
    else 'e.embedding <=> $1'
  end;

drop function two_tower.index_video_embeddings(text, int, int);

create function two_tower.index_video_embeddings(
  p_model_version text,
  p_m int,
  p_ef_construction int,
  p_vector_index text default 'vector'
) returns void
  language plpgsql
  security invoker
  set search_path = extensions, public, pg_temp
as $$
declare
  v_name text := 'video_embeddings_' || two_tower.version_suffix(p_model_version);
begin
  execute format('alter table two_tower.%I add primary key (video_id)', v_name);
  -- Cosine, not inner product: pgvector stores normalised copies in a cosine index and walks it by inner product
  -- all the same, and a vector that is not of unit length is ranked rightly.
  execute format(
    'create index %I on two_tower.%I using hnsw (%s) with (m = %s, ef_construction = %s)',
    v_name || '_hnsw',
    v_name,
    case p_vector_index
      when 'halfvec' then '(embedding::halfvec(256)) halfvec_cosine_ops'
      else 'embedding vector_cosine_ops'
    end,
    p_m,
    p_ef_construction
  );
  execute format('analyze two_tower.%I', v_name);
  update public.model_releases as r
  set vector_index = p_vector_index
  where r.model_version = p_model_version;
end
$$;

comment on function two_tower.index_video_embeddings(text, int, int, text) is
  'Add the primary key and the HNSW index to a filled vector table. Set maintenance_work_mem in the session first.';

drop function public.recommend_videos_ann(vector, int, uuid[], int, text[], uuid[], timestamptz, text);
drop function two_tower.nearest(text, text, vector, int, uuid[], int, text[], uuid[], timestamptz);
drop function two_tower.live_vector_table(text);

-- The name and the index type of the live version's table, read once: the search then reads that table whatever is
-- released meanwhile, so no answer mixes versions. Refuses a vector of another version.
create function two_tower.live_vectors(
  p_model_version text, out vector_table text, out vector_index text
)
  language plpgsql stable
  security invoker
  set search_path = ''
as $$
declare
  v_version text;
begin
  select l.model_version, r.vector_table, r.vector_index
  into v_version, live_vectors.vector_table, live_vectors.vector_index
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
end
$$;

-- Settings named in the head are put back when the function returns; the body sets ef_search by the limit, unless the
-- caller says how far to look. Reads
-- are priced as from memory: by the default price, that of a disk's seeks, the planner shuns the index. The
-- index is walked further until enough admissible videos are found or its bounds are met; what it then lacks is
-- found by exact search. An index of halves is asked for twice as many, since halves confuse near neighbours.
create function two_tower.nearest(
  p_table text,
  p_vector_index text,
  p_condition text,
  p_embedding vector,
  p_limit int,
  p_banned_tag_ids uuid[],
  p_max_safety_level int,
  p_allowed_regions text[],
  p_exclude_video_ids uuid[],
  p_released_before timestamptz,
  p_ef_search int default null
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
  v_orders text[] := array[two_tower.index_order(p_vector_index), '(e.embedding <=> $1) + 0'];
  v_order text;
  v_candidates int := case p_vector_index when 'halfvec' then 2 else 1 end * p_limit;
  v_ids uuid[];
  v_distances float8[];
begin
  perform set_config(
    'hnsw.ef_search', least(greatest(coalesce(p_ef_search, greatest(200, 4 * p_limit)), v_candidates), 1000)::text, true
  );
  foreach v_order in array v_orders loop
    execute format(
      'select array_agg(n.id order by n.distance, n.id), array_agg(n.distance order by n.distance, n.id)
       from (
         select c.id, c.distance
         from (
           select e.video_id as id, e.embedding <=> $1 as distance
           from %s as e
           join public.videos as v on v.id = e.video_id
           where %s
           order by %s
           limit $8
         ) as c
         order by c.distance, c.id
         limit $2
       ) as n', p_table, p_condition, v_order
    )
    into v_ids, v_distances
    using p_embedding, p_limit, p_banned_tag_ids, p_max_safety_level, p_allowed_regions, p_exclude_video_ids,
      p_released_before, v_candidates;
    exit when cardinality(v_ids) = p_limit;
  end loop;
  return query select u.id, u.distance from unnest(v_ids, v_distances) as u (id, distance);
end
$$;

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
  v_live record := two_tower.live_vectors(p_model_version);
begin
  if p_embedding is null or vector_dims(p_embedding) <> 256 or vector_norm(p_embedding) = 0 then
    raise exception 'p_embedding has % dimensions and length %',
      coalesce(vector_dims(p_embedding)::text, 'no'), coalesce(vector_norm(p_embedding)::text, 'unknown')
      using errcode = 'invalid_parameter_value', hint = 'Give the 256 numbers of a user embedding, not all zero.';
  end if;
  return query
  select n.video_id, n.distance, 1 - n.distance
  from two_tower.nearest(
    v_live.vector_table,
    v_live.vector_index,
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

-- The catalogue's videos that a search with these filters may return: what its answers are held against.
create function two_tower.admissible_videos(
  p_banned_tag_ids uuid[],
  p_max_safety_level int,
  p_allowed_regions text[],
  p_exclude_video_ids uuid[],
  p_released_before timestamptz
) returns setof uuid
  language plpgsql stable
  security invoker
  set search_path = ''
as $$
begin
  return query execute 'select v.id from public.videos as v where ' || two_tower.admissible(
    p_banned_tag_ids, p_max_safety_level, p_allowed_regions, p_exclude_video_ids, p_released_before
  ) using null::text, null::int, p_banned_tag_ids, p_max_safety_level, p_allowed_regions, p_exclude_video_ids,
    p_released_before;
end
$$;

revoke all on function two_tower.index_order(text) from public, anon, authenticated, service_role;
revoke all on function two_tower.index_video_embeddings(text, int, int, text)
  from public, anon, authenticated, service_role;
revoke all on function two_tower.live_vectors(text) from public, anon, authenticated, service_role;
revoke all on function two_tower.nearest(
  text, text, text, vector, int, uuid[], int, text[], uuid[], timestamptz, int
)
  from public, anon, authenticated, service_role;
revoke all on function public.recommend_videos_ann(vector, int, uuid[], int, text[], uuid[], timestamptz, text)
  from public, anon, authenticated, service_role;
revoke all on function two_tower.admissible_videos(uuid[], int, text[], uuid[], timestamptz)
  from public, anon, authenticated, service_role;

grant execute on function two_tower.index_order(text) to authenticated, service_role;
grant execute on function two_tower.live_vectors(text) to authenticated, service_role;
grant execute on function two_tower.nearest(
  text, text, text, vector, int, uuid[], int, text[], uuid[], timestamptz, int
)
  to authenticated, service_role;
grant execute on function public.recommend_videos_ann(vector, int, uuid[], int, text[], uuid[], timestamptz, text)
  to authenticated, service_role;

reset search_path;
