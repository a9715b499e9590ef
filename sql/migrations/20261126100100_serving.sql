-- Purpose: what the Edge Functions ask for, each answer in one call: a user's vector or what it is made of, and
-- the candidates for a user with all that a list shows. Only the service role calls these; the functions have
-- verified who is asking.
set search_path = extensions, public;

-- A function that sets a parameter of pgvector can be made only after the library has told Postgres its parameters.
select '[1]'::vector;

-- The video vectors to search with user vectors of a version. A version that is no longer live is refused, unless
-- the caller says that it has nothing newer: then it goes on, whole, while its vectors are kept.
create function two_tower.serving_vectors(
  p_model_version text, p_allow_retired boolean, out vector_table text, out vector_index text
)
  language plpgsql stable
  security invoker
  set search_path = ''
as $$
begin
  if not coalesce(p_allow_retired, false) then
    select v.vector_table, v.vector_index into serving_vectors.vector_table, serving_vectors.vector_index
    from two_tower.live_vectors(p_model_version) as v;
    return;
  end if;
  select r.vector_table, r.vector_index into serving_vectors.vector_table, serving_vectors.vector_index
  from public.model_releases as r
  where r.model_version = p_model_version and r.state in ('live', 'retired');
  if serving_vectors.vector_table is null then
    raise exception 'The vectors of version % are not kept', p_model_version
      using errcode = 'PT503', hint = 'Publish a release that the functions can load.';
  end if;
end
$$;

-- Decisions of a later moment are in no payload, so they make no vector stale.
create function two_tower.fresh_user_embedding(p_user_id uuid, p_model_version text)
  returns table (embedding vector, updated_at timestamptz)
  language sql stable
  security invoker
  set search_path = ''
as $$
  select e.embedding, e.updated_at
  from two_tower.user_embedding_versions as e
  where e.model_version = p_model_version
    and e.user_id = p_user_id
    and not exists (
      select
      from public.user_video_decisions as d
      where d.user_id = p_user_id
        and d.created_at >= e.updated_at
        and d.created_at < pg_catalog.now()
    )
$$;

comment on function two_tower.fresh_user_embedding(uuid, text) is
  'The stored vector of a version, unless the user has decided something since.';

-- The vector of an earlier moment never replaces that of a later one.
create function two_tower.keep_user_embedding(
  p_user_id uuid, p_model_version text, p_embedding vector, p_as_of timestamptz
) returns void
  language plpgsql
  security invoker
  set search_path = extensions, public, pg_temp
as $$
begin
  if p_embedding is null or vector_dims(p_embedding) <> 256 or vector_norm(p_embedding) = 0 then
    raise exception 'p_embedding has % dimensions and length %',
      coalesce(vector_dims(p_embedding)::text, 'no'), coalesce(vector_norm(p_embedding)::text, 'unknown')
      using errcode = 'invalid_parameter_value', hint = 'Give the 256 numbers of a user embedding, not all zero.';
  end if;
  if p_as_of is null or p_as_of > now() then
    raise exception 'p_as_of is %, and it is %', coalesce(p_as_of::text, 'null'), now()
      using errcode = 'invalid_parameter_value', hint = 'Give the moment that the payload was read at.';
  end if;
  insert into two_tower.user_embedding_versions as e (user_id, embedding, model_version, updated_at)
  values (p_user_id, p_embedding, p_model_version, p_as_of)
  on conflict (model_version, user_id) do update
  set embedding = excluded.embedding, updated_at = excluded.updated_at
  where excluded.updated_at > e.updated_at;
end
$$;

create function public.user_embedding_state(
  p_user_id uuid,
  p_model_version text,
  p_refresh boolean default false,
  p_allow_retired boolean default false
) returns json
  language plpgsql stable
  security invoker
  set search_path = extensions, public, pg_temp
  set timezone = 'UTC'
as $$
declare
  v_embedding vector;
  v_updated_at timestamptz;
begin
  perform two_tower.serving_vectors(p_model_version, p_allow_retired);
  if not coalesce(p_refresh, false) then
    select e.embedding, e.updated_at into v_embedding, v_updated_at
    from two_tower.fresh_user_embedding(p_user_id, p_model_version) as e;
  end if;
  return json_build_object(
    'as_of', now(),
    'embedding', v_embedding::text,
    'updated_at', v_updated_at,
    'payload', (select u.payload from two_tower.user_payloads(array[p_user_id], now()) as u)
  );
end
$$;

comment on function public.user_embedding_state(uuid, text, boolean, boolean) is
  'A user''s payload and moment, and the stored vector of the version unless it is stale or a refresh is asked for.';

create function public.store_user_embedding(
  p_user_id uuid,
  p_model_version text,
  p_embedding vector,
  p_as_of timestamptz,
  p_allow_retired boolean default false
) returns timestamptz
  language plpgsql
  security invoker
  set search_path = extensions, public, pg_temp
as $$
begin
  perform two_tower.serving_vectors(p_model_version, p_allow_retired);
  perform two_tower.keep_user_embedding(p_user_id, p_model_version, p_embedding, p_as_of);
  return p_as_of;
end
$$;

comment on function public.store_user_embedding(uuid, text, vector, timestamptz, boolean) is
  'Keep a user vector of the version, as of the moment that its payload was read at.';

-- Distances in the order of the ids; null for a video that the version has no vector of.
create function two_tower.distances(p_table text, p_embedding vector, p_video_ids uuid[]) returns float8[]
  language plpgsql stable
  security invoker
  set search_path = extensions, public, pg_temp
as $$
declare
  v_distances float8[];
begin
  execute format(
    'select array_agg(e.embedding <=> $1 order by u.place)
     from unnest($2) with ordinality as u (id, place)
     left join %s as e on e.video_id = u.id', p_table
  )
  into v_distances
  using p_embedding, p_video_ids;
  return v_distances;
end
$$;

-- What a list shows of each video, and what it is put in order by.
create function two_tower.candidate_rows(p_video_ids uuid[], p_distances float8[], p_popularity float8[]) returns json
  language plpgsql stable
  security invoker
  set search_path = ''
  set timezone = 'UTC'
as $$
begin
  return (
    with tagged as (
      select l.video_id as id, pg_catalog.array_agg(t.name order by t.name collate "C") as names
      from public.video_tags as l
      join public.tags as t on t.id = l.tag_id
      where l.video_id = any (p_video_ids) and t.name is not null
      group by l.video_id
    ),
    performed as (
      select l.video_id as id, pg_catalog.array_agg(p.name order by p.name collate "C") as names
      from public.video_performers as l
      join public.performers as p on p.id = l.performer_id
      where l.video_id = any (p_video_ids) and p.name is not null
      group by l.video_id
    )
    select coalesce(
      pg_catalog.json_agg(
        pg_catalog.json_build_object(
          'id', v.id,
          'title', v.title,
          'description', v.description,
          'external_id', v.external_id,
          'thumbnail_url', v.thumbnail_url,
          'product_released_at', two_tower.finite(v.product_released_at),
          'price', two_tower.finite(v.price::numeric)::float8,
          'safety_level', coalesce(v.safety_level, 0),
          'region_codes', coalesce(v.region_codes::text[], '{}'),
          'tags', coalesce(t.names, '{}'),
          'performers', coalesce(p.names, '{}'),
          'maker', v.maker,
          'distance', u.distance,
          'popularity', u.popularity
        )
        order by u.place
      ),
      '[]'
    )
    from rows from (
      pg_catalog.unnest(p_video_ids), pg_catalog.unnest(p_distances), pg_catalog.unnest(p_popularity)
    ) with ordinality as u (video_id, distance, popularity, place)
    join public.videos as v on v.id = u.video_id
    left join tagged as t on t.id = v.id
    left join performed as p on p.id = v.id
  );
end
$$;

-- Without p_embedding and without a fresh stored vector there are no candidates yet: the answer says what the vector
-- is made of, and the caller asks again with it, which also keeps it. One version throughout: the stored vector,
-- the given one and the videos are all of p_model_version.
create function public.recommend_for_user(
  p_user_id uuid,
  p_model_version text,
  p_limit int default 100,
  p_banned_tag_ids uuid[] default null,
  p_max_safety_level int default 1,
  p_allowed_regions text[] default null,
  p_exclude_video_ids uuid[] default null,
  p_refresh boolean default false,
  p_embedding vector default null,
  p_as_of timestamptz default null,
  p_half_life_days float8 default 30,
  p_allow_retired boolean default false
) returns json
  language plpgsql
  security invoker
  set search_path = extensions, public, pg_temp
  set timezone = 'UTC'
as $$
declare
  v_serving record := two_tower.serving_vectors(p_model_version, p_allow_retired);
  v_limit int := least(greatest(coalesce(p_limit, 100), 1), 500);
  v_embedding vector := p_embedding;
  v_updated_at timestamptz := p_as_of;
  v_excluded uuid[];
  v_ids uuid[];
  v_distances float8[];
  v_popularity float8[];
  v_likes boolean;
begin
  if p_embedding is not null then
    perform two_tower.keep_user_embedding(p_user_id, p_model_version, p_embedding, p_as_of);
  elsif not coalesce(p_refresh, false) then
    select e.embedding, e.updated_at into v_embedding, v_updated_at
    from two_tower.fresh_user_embedding(p_user_id, p_model_version) as e;
  end if;
  if v_embedding is null then
    return json_build_object(
      'as_of', now(),
      'payload', (select u.payload from two_tower.user_payloads(array[p_user_id], now()) as u)
    );
  end if;

  v_likes := exists (
    select from public.user_video_decisions as d
    where d.user_id = p_user_id and two_tower.is_like(d.decision_type) and d.created_at < now()
  );
  if v_likes then
    -- A list is chosen from more candidates than it shows, and of those behind only most need be found. Looking twice
    -- as far as the list of candidates is long finds the shown ones as surely as a search's own effort does.
    v_excluded := coalesce(p_exclude_video_ids, '{}') || array(
      select d.video_id from public.user_video_decisions as d where d.user_id = p_user_id
    );
    select array_agg(n.video_id order by n.distance, n.video_id), array_agg(n.distance order by n.distance, n.video_id)
    into v_ids, v_distances
    from two_tower.nearest(
      v_serving.vector_table,
      v_serving.vector_index,
      two_tower.admissible(p_banned_tag_ids, p_max_safety_level, p_allowed_regions, v_excluded, now()),
      v_embedding, v_limit, p_banned_tag_ids, p_max_safety_level, p_allowed_regions, v_excluded, now(),
      p_ef_search => greatest(120, 2 * v_limit)
    ) as n;
  else
    -- Counted here only where it never was; afterwards the functions ask for it when nobody waits.
    perform public.refresh_popularity(p_half_life_days, 'infinity');
    select array_agg(n.video_id order by n.place), array_agg(n.popularity order by n.place)
    into v_ids, v_popularity
    from public.popular_videos(
      v_limit, p_banned_tag_ids, p_max_safety_level, p_allowed_regions, p_exclude_video_ids, now(), p_user_id
    ) with ordinality as n (video_id, popularity, place);
    v_distances := two_tower.distances(v_serving.vector_table, v_embedding, v_ids);
  end if;
  return json_build_object(
    'as_of', now(),
    'updated_at', v_updated_at,
    'popular', not v_likes,
    'candidates', two_tower.candidate_rows(v_ids, v_distances, v_popularity)
  );
end
$$;

comment on function public.recommend_for_user(
  uuid, text, int, uuid[], int, text[], uuid[], boolean, vector, timestamptz, float8, boolean
) is 'Undecided, released, admissible videos for a user with all that a list shows: the nearest, or the popular for whoever likes nothing yet.';

do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid::regprocedure
    from pg_catalog.pg_proc as p
    where (p.pronamespace = 'two_tower'::regnamespace and p.proname in (
        'serving_vectors', 'fresh_user_embedding', 'keep_user_embedding', 'distances', 'candidate_rows'
      ))
      or (p.pronamespace = 'public'::regnamespace and p.proname in (
        'user_embedding_state', 'store_user_embedding', 'recommend_for_user'
      ))
  loop
    execute pg_catalog.format('revoke all on function %s from public, anon, authenticated, service_role', v_function);
    execute pg_catalog.format('grant execute on function %s to service_role', v_function);
  end loop;
end
$$;

reset search_path;
