-- Purpose: what a person's feature vector is made of, for one person and for pages of people.
-- One set-based function computes both, so a payload cannot depend on how it was asked for.

-- Times are written in UTC whatever the session's time zone, so equal payloads are equal text. A plan is made for
-- each call, because a good one for one person is a bad one for a thousand.
create function two_tower.user_payloads(p_user_ids uuid[], p_as_of timestamptz)
  returns table (user_id uuid, payload jsonb)
  language plpgsql stable
  security invoker
  set search_path = ''
  set timezone = 'UTC'
  set plan_cache_mode = 'force_custom_plan'
as $$
begin
  return query
  with asked as (
    select distinct u.id from pg_catalog.unnest(p_user_ids) as u (id)
  ),
  decided as materialized (
    select
      d.user_id as id,
      d.video_id,
      d.created_at,
      coalesce(two_tower.is_like(d.decision_type), false) as liked,
      coalesce(two_tower.is_nope(d.decision_type), false) as noped
    from public.user_video_decisions as d
    where d.user_id = any (p_user_ids)
      and d.created_at < p_as_of
  ),
  stats as (
    select
      d.id,
      count(*) filter (where d.liked) as like_count,
      count(*) filter (where d.noped) as nope_count,
      count(*) as decision_count,
      max(d.created_at) filter (where d.liked and pg_catalog.isfinite(d.created_at)) as recent_like_at,
      avg(extract(hour from d.created_at)) filter (where d.liked and pg_catalog.isfinite(d.created_at)) as like_hour,
      (array_agg(d.video_id order by d.created_at desc, d.video_id) filter (where d.liked))[:1000] as liked_ids,
      (array_agg(d.video_id order by d.created_at desc, d.video_id) filter (where d.noped))[:1000] as noped_ids
    from decided as d
    group by d.id
  ),
  prices as (
    select
      p.id,
      avg(p.price)::float8 as mean,
      percentile_cont(0.5) within group (order by p.price::float8) as median
    from (
      select d.id, two_tower.finite(v.price::numeric) as price
      from decided as d
      join public.videos as v on v.id = d.video_id
      where d.liked
    ) as p
    where p.price is not null
    group by p.id
  ),
  liked_tags as (
    select d.id, jsonb_agg(t.name order by t.name collate "C") as names
    from decided as d
    join public.video_tags as l on l.video_id = d.video_id
    join public.tags as t on t.id = l.tag_id
    where d.liked and t.name is not null
    group by d.id
  ),
  liked_performers as (
    select d.id, jsonb_agg(p.name order by p.name collate "C") as names
    from decided as d
    join public.video_performers as l on l.video_id = d.video_id
    join public.performers as p on p.id = l.performer_id
    where d.liked and p.name is not null
    group by d.id
  )
  select
    a.id,
    pg_catalog.jsonb_build_object(
      'user_id', a.id,
      'profile', pg_catalog.jsonb_build_object('created_at', two_tower.finite(f.created_at)),
      'decision_stats', pg_catalog.jsonb_build_object(
        'like_count', coalesce(s.like_count, 0),
        'nope_count', coalesce(s.nope_count, 0),
        'decision_count', coalesce(s.decision_count, 0),
        'recent_like_at', s.recent_like_at,
        'average_like_hour', coalesce(s.like_hour, 12)::float8
      ),
      'price_stats', pg_catalog.jsonb_build_object('mean', coalesce(m.mean, 0), 'median', coalesce(m.median, 0)),
      'tags', coalesce(t.names, '[]'),
      'performers', coalesce(p.names, '[]'),
      'liked_video_ids', pg_catalog.to_jsonb(coalesce(s.liked_ids, '{}')),
      'noped_video_ids', pg_catalog.to_jsonb(coalesce(s.noped_ids, '{}'))
    )
  from asked as a
  left join public.profiles as f on f.user_id = a.id
  left join stats as s on s.id = a.id
  left join prices as m on m.id = a.id
  left join liked_tags as t on t.id = a.id
  left join liked_performers as p on p.id = a.id;
end
$$;

comment on function two_tower.user_payloads(uuid[], timestamptz) is
  'Feature payloads of the given users from their decisions strictly before a moment; users without any included.';

-- A signed-in user may read their own features; the service role, and who may become it, anyone's.
create function two_tower.require_own_or_service(p_user_id uuid) returns void
  language plpgsql stable
  security invoker
  set search_path = ''
as $$
begin
  if p_user_id is distinct from auth.uid() and not pg_catalog.pg_has_role(current_user, 'service_role', 'member') then
    raise exception 'Only the service role may read the features of another user'
      using errcode = 'insufficient_privilege', hint = 'Ask for the id of the signed-in user.';
  end if;
end
$$;

select two_tower.drop_overloads('get_user_embedding_features');
select two_tower.drop_overloads('get_user_embedding_feature_batch');

create function public.get_user_embedding_features(user_id uuid, as_of timestamptz default now()) returns jsonb
  language plpgsql stable
  security invoker
  set search_path = ''
as $$
begin
  if get_user_embedding_features.user_id is null then
    raise exception 'user_id is null' using errcode = 'null_value_not_allowed', hint = 'Name a user.';
  end if;
  perform two_tower.require_own_or_service(get_user_embedding_features.user_id);
  return (
    select u.payload
    from two_tower.user_payloads(
      array[get_user_embedding_features.user_id], coalesce(get_user_embedding_features.as_of, pg_catalog.now())
    ) as u
  );
end
$$;

comment on function public.get_user_embedding_features(uuid, timestamptz) is
  'The feature payload of one user at a moment; a user without decisions has a payload too.';

-- Which users a page holds: a walk over (user_id, created_at) that touches each user's first decision only, so
-- a page costs the same wherever it begins and however much its users have decided. The outer limit ends the walk.
create function two_tower.page_of_users(p_after uuid, p_limit int, p_offset int, p_as_of timestamptz)
  returns setof uuid
  language sql stable
  security invoker
  set search_path = ''
as $$
  with recursive walk as (
    (
      select d.user_id, d.created_at
      from public.user_video_decisions as d
      where p_after is null
      order by d.user_id, d.created_at
      limit 1
    )
    union all
    (
      select d.user_id, d.created_at
      from public.user_video_decisions as d
      where d.user_id > p_after
      order by d.user_id, d.created_at
      limit 1
    )
    union all
    select n.user_id, n.created_at
    from walk as w
    cross join lateral (
      select d.user_id, d.created_at
      from public.user_video_decisions as d
      where d.user_id > w.user_id
      order by d.user_id, d.created_at
      limit 1
    ) as n
  )
  select w.user_id from walk as w where w.created_at < p_as_of limit p_limit offset p_offset
$$;

create function public.get_user_embedding_feature_batch(
  p_limit int default 100,
  p_offset int default 0,
  p_after uuid default null,
  as_of timestamptz default now()
) returns table (user_id uuid, payload jsonb)
  language sql stable
  security invoker
  set search_path = ''
  rows 1000
as $$
  select u.user_id, u.payload
  from two_tower.user_payloads(
    array(
      select two_tower.page_of_users(
        p_after,
        least(greatest(coalesce(p_limit, 100), 1), 1000),
        greatest(coalesce(p_offset, 0), 0),
        coalesce(get_user_embedding_feature_batch.as_of, pg_catalog.now())
      )
    ),
    coalesce(get_user_embedding_feature_batch.as_of, pg_catalog.now())
  ) as u
  order by u.user_id
$$;

comment on function public.get_user_embedding_feature_batch(int, int, uuid, timestamptz) is
  'Payloads of the users with a decision before as_of, by user id. Page with p_after = the last id; p_offset walks.';

revoke all on function two_tower.user_payloads(uuid[], timestamptz) from public, anon, authenticated, service_role;
revoke all on function two_tower.require_own_or_service(uuid) from public, anon, authenticated, service_role;
revoke all on function two_tower.page_of_users(uuid, int, int, timestamptz)
  from public, anon, authenticated, service_role;
revoke all on function public.get_user_embedding_features(uuid, timestamptz)
  from public, anon, authenticated, service_role;
revoke all on function public.get_user_embedding_feature_batch(int, int, uuid, timestamptz)
  from public, anon, authenticated, service_role;

grant execute on function two_tower.user_payloads(uuid[], timestamptz) to authenticated, service_role;
grant execute on function two_tower.require_own_or_service(uuid) to authenticated, service_role;
grant execute on function two_tower.page_of_users(uuid, int, int, timestamptz) to service_role;
grant execute on function public.get_user_embedding_features(uuid, timestamptz) to authenticated, service_role;
grant execute on function public.get_user_embedding_feature_batch(int, int, uuid, timestamptz) to service_role;
