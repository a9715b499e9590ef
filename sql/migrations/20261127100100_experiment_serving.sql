-- Purpose: two releases serve at once, each with its own vectors of users and videos, while an experiment runs; its stop
-- is heard by the very next call. Functions that know nothing of experiments go on as before.
set search_path = extensions, public;

-- A function that sets a parameter of pgvector can be made only after the library has told Postgres its parameters.
select '[1]'::vector;

-- What the Edge Functions follow, in one call: the live release and the running experiments.
create function public.get_serving() returns json
  language sql stable
  security invoker
  set search_path = ''
as $$
  select pg_catalog.json_build_object(
    'live', (
      select pg_catalog.json_build_object('model_version', l.model_version, 'manifest_hash', l.manifest_hash)
      from public.get_live_release() as l
    ),
    'experiments', coalesce(
      (
        select pg_catalog.json_agg(
          pg_catalog.json_build_object(
            'name', e.name,
            'kind', e.kind,
            'salt', e.salt,
            'from', pg_catalog.lower(e.traffic),
            'until', pg_catalog.upper(e.traffic),
            'arms', (
              select pg_catalog.json_agg(
                pg_catalog.json_build_object(
                  'arm', a.arm,
                  'weight', a.weight,
                  'model_version', a.model_version,
                  'manifest_hash', r.manifest_hash,
                  'ranking', a.ranking
                )
                order by a.place
              )
              from public.experiment_arms as a
              left join public.model_releases as r using (model_version)
              where a.experiment = e.name
            )
          )
          order by e.name
        )
        from public.experiments as e
        where e.state = 'running'
      ),
      '[]'
    )
  )
$$;

comment on function public.get_serving() is
  'The live release, null before the first, and the running experiments with the releases of their arms.';

drop function public.recommend_for_user(
  uuid, text, int, uuid[], int, text[], uuid[], boolean, vector, timestamptz, float8, boolean
);
drop function two_tower.serving_vectors(text, boolean);

-- The video vectors to search with user vectors of a version. A version that is not live is refused, unless it is an
-- arm's of the running experiment that is named, or the caller says that it has nothing newer: then it goes on, whole,
-- while its vectors are kept. With an experiment that does not run everything is refused.
create function two_tower.serving_vectors(
  p_model_version text,
  p_allow_retired boolean,
  p_experiment text default null,
  out vector_table text,
  out vector_index text
)
  language plpgsql stable
  security invoker
  set search_path = ''
as $$
begin
  if p_experiment is not null then
    if not exists (select from public.experiments as e where e.name = p_experiment and e.state = 'running') then
      raise exception 'Experiment % does not run', p_experiment
        using errcode = 'PT409', hint = 'Answer with the live release.';
    end if;
    select r.vector_table, r.vector_index into serving_vectors.vector_table, serving_vectors.vector_index
    from public.model_releases as r
    where r.model_version = p_model_version
      and r.state in ('verified', 'live', 'retired')
      and exists (
        select from public.experiment_arms as a
        where a.experiment = p_experiment and a.model_version = p_model_version
      );
    if serving_vectors.vector_table is not null then
      return;
    end if;
  end if;
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

-- As before, and with the name of the experiment that the list is for.
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
  p_allow_retired boolean default false,
  p_experiment text default null
) returns json
  language plpgsql
  security invoker
  set search_path = extensions, public, pg_temp
  set timezone = 'UTC'
as $$
declare
  v_serving record := two_tower.serving_vectors(p_model_version, p_allow_retired, p_experiment);
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
  uuid, text, int, uuid[], int, text[], uuid[], boolean, vector, timestamptz, float8, boolean, text
) is 'Undecided, released, admissible videos for a user with all that a list shows: the nearest, or the popular for whoever likes nothing yet.';

-- As before, but what an experiment serves, or a draft is about to, is kept.
create or replace function two_tower.drop_release_vectors(p_model_version text) returns void
  language plpgsql
  security invoker
  set search_path = ''
  set lock_timeout = '40ms'
as $$
declare
  v_state text;
  v_experiment text;
begin
  select r.state into v_state
  from public.model_releases as r
  where r.model_version = p_model_version
  for update;

  if v_state is null then
    raise exception 'There is no release %', p_model_version using errcode = 'no_data_found';
  end if;
  if v_state = 'live' then
    raise exception 'Release % is live: its vectors stay', p_model_version
      using errcode = 'object_not_in_prerequisite_state', hint = 'Release another version first.';
  end if;
  select e.name into v_experiment
  from public.experiment_arms as a
  join public.experiments as e on e.name = a.experiment
  where a.model_version = p_model_version and e.state <> 'stopped'
  limit 1;
  if v_experiment is not null then
    raise exception 'Release % is an arm of experiment %: its vectors stay', p_model_version, v_experiment
      using errcode = 'object_not_in_prerequisite_state',
        hint = 'Stop the experiment (two-tower experiment stop), or discard it where it is a draft.';
  end if;
  perform two_tower.drop_embedding_tables(p_model_version);
  update public.model_releases as r
  set vector_table = null, user_count = null, users_as_of = null
  where r.model_version = p_model_version;
end
$$;

revoke all on function public.get_serving() from public, anon, authenticated, service_role;
revoke all on function two_tower.serving_vectors(text, boolean, text) from public, anon, authenticated, service_role;
revoke all on function public.recommend_for_user(
  uuid, text, int, uuid[], int, text[], uuid[], boolean, vector, timestamptz, float8, boolean, text
)
  from public, anon, authenticated, service_role;
grant execute on function public.get_serving() to service_role;
grant execute on function two_tower.serving_vectors(text, boolean, text) to service_role;
grant execute on function public.recommend_for_user(
  uuid, text, int, uuid[], int, text[], uuid[], boolean, vector, timestamptz, float8, boolean, text
)
  to service_role;

reset search_path;

notify pgrst, 'reload schema';
