-- Purpose: what people like lately: counted now and then, kept beside, and asked for by those whose taste is unknown.
-- A LIKE counts 2^(−age / half-life). All of them fade alike, so the order of two videos changes only with a new LIKE:
-- the logarithm of the count at a fixed moment is kept, and is true at any later one.

create table two_tower.video_popularity (
  video_id uuid primary key,
  log_popularity float8 not null
);

comment on table two_tower.video_popularity is
  'Natural logarithm of Σ 2^((time of a LIKE − 2020-01-01) / half-life) of each video that was ever liked.';

create index video_popularity_by_value on two_tower.video_popularity (log_popularity desc, video_id);

create table two_tower.popularity_count (
  singleton boolean primary key default true check (singleton),
  half_life_days float8 not null check (half_life_days > 0),
  counted_at timestamptz not null
);

comment on table two_tower.popularity_count is 'When two_tower.video_popularity was last counted, and how fast it fades.';

revoke all on two_tower.video_popularity, two_tower.popularity_count
  from public, anon, authenticated, service_role;
grant select on two_tower.video_popularity, two_tower.popularity_count to authenticated;
grant select, insert, update, delete on two_tower.video_popularity, two_tower.popularity_count to service_role;

-- Half-lives since a fixed moment, as a factor's natural logarithm.
create function two_tower.faded(p_moment timestamptz, p_half_life_days float8) returns float8
  language sql immutable parallel safe
  security invoker
  return pg_catalog.ln(2.0::float8) * extract(epoch from p_moment - timestamptz '2020-01-01 00:00:00+00')::float8
    / (86400 * p_half_life_days);

-- Whoever comes while another counts goes on with the last count. LIKEs of a later moment do not count yet.
create function public.refresh_popularity(
  p_half_life_days float8 default 30,
  p_max_age interval default '5 minutes'
) returns boolean
  language plpgsql
  security invoker
  set search_path = ''
as $$
declare
  v_now timestamptz := pg_catalog.now();
begin
  if p_half_life_days is null or not (p_half_life_days > 0 and p_half_life_days < 'infinity') then
    raise exception 'p_half_life_days is %, not a number of days', coalesce(p_half_life_days::text, 'null')
      using errcode = 'invalid_parameter_value', hint = 'Give a half-life in days, such as 30.';
  end if;
  if exists (
    select from two_tower.popularity_count as c
    where c.half_life_days = p_half_life_days and c.counted_at > v_now - p_max_age
  ) or not pg_catalog.pg_try_advisory_xact_lock(pg_catalog.hashtext('two_tower.video_popularity')) then
    return false;
  end if;

  -- Weights are counted as of now and not below exp(−700), so that no power overflows or underflows.
  with counted as materialized (
    select
      d.video_id,
      pg_catalog.ln(sum(pg_catalog.exp(greatest(two_tower.faded(d.created_at, p_half_life_days) - n.log, -700)))) + n.log
        as log_popularity
    from public.user_video_decisions as d
    cross join (select two_tower.faded(v_now, p_half_life_days) as log) as n
    where two_tower.is_like(d.decision_type)
      and d.created_at < v_now
      and pg_catalog.isfinite(d.created_at)
    group by d.video_id, n.log
  ),
  gone as (
    delete from two_tower.video_popularity as p
    where not exists (select from counted as c where c.video_id = p.video_id)
  )
  insert into two_tower.video_popularity as p (video_id, log_popularity)
  select c.video_id, c.log_popularity from counted as c
  on conflict (video_id) do update set log_popularity = excluded.log_popularity
  where pg_catalog.abs(p.log_popularity - excluded.log_popularity) > 1e-9;

  insert into two_tower.popularity_count as c (half_life_days, counted_at) values (p_half_life_days, v_now)
  on conflict (singleton) do update set half_life_days = excluded.half_life_days, counted_at = excluded.counted_at;
  return true;
end
$$;

comment on function public.refresh_popularity(float8, interval) is
  'Count popularity anew when the last count is older than p_max_age or of another half-life; says whether it did.';

-- The liked ones first, from their index, until enough are admissible; then the newest of those that nobody has liked.
create function public.popular_videos(
  p_limit int default 50,
  p_banned_tag_ids uuid[] default null,
  p_max_safety_level int default 1,
  p_allowed_regions text[] default null,
  p_exclude_video_ids uuid[] default null,
  p_released_before timestamptz default null,
  p_user_id uuid default auth.uid()
) returns table (video_id uuid, popularity float8)
  language plpgsql stable
  security invoker
  set search_path = ''
  rows 50
as $$
declare
  v_limit int := least(greatest(coalesce(p_limit, 50), 1), 500);
  v_excluded uuid[] := coalesce(p_exclude_video_ids, '{}') || array(
    select d.video_id from public.user_video_decisions as d where d.user_id = p_user_id
  );
  v_released_before timestamptz := coalesce(p_released_before, pg_catalog.now());
  v_condition text := two_tower.admissible(
    p_banned_tag_ids, p_max_safety_level, p_allowed_regions, v_excluded, v_released_before
  );
  v_now float8 := (
    select two_tower.faded(pg_catalog.now(), c.half_life_days) from two_tower.popularity_count as c
  );
  v_found int;
begin
  return query execute pg_catalog.format(
    'select v.id, pg_catalog.exp(greatest(p.log_popularity - $8, -700))
     from two_tower.video_popularity as p
     join public.videos as v on v.id = p.video_id
     where %s
     order by p.log_popularity desc, p.video_id
     limit $2', v_condition
  )
  using null::text, v_limit, p_banned_tag_ids, p_max_safety_level, p_allowed_regions, v_excluded, v_released_before,
    v_now;

  get diagnostics v_found = row_count;
  if v_found < v_limit then
    return query execute pg_catalog.format(
      'select v.id, 0::float8
       from public.videos as v
       where %s
         and not exists (select from two_tower.video_popularity as p where p.video_id = v.id)
       order by v.product_released_at desc nulls last, v.id
       limit $2', v_condition
    )
    using null::text, v_limit - v_found, p_banned_tag_ids, p_max_safety_level, p_allowed_regions, v_excluded,
      v_released_before;
  end if;
end
$$;

comment on function public.popular_videos(int, uuid[], int, text[], uuid[], timestamptz, uuid) is
  'The most liked lately of the admissible, released videos that the user has not decided on; popularity in LIKEs of now.';

revoke all on function two_tower.faded(timestamptz, float8) from public, anon, authenticated, service_role;
revoke all on function public.refresh_popularity(float8, interval) from public, anon, authenticated, service_role;
revoke all on function public.popular_videos(int, uuid[], int, text[], uuid[], timestamptz, uuid)
  from public, anon, authenticated, service_role;

grant execute on function two_tower.faded(timestamptz, float8) to authenticated, service_role;
grant execute on function public.refresh_popularity(float8, interval) to service_role;
grant execute on function public.popular_videos(int, uuid[], int, text[], uuid[], timestamptz, uuid)
  to authenticated, service_role;
