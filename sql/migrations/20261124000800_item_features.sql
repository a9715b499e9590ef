-- Purpose: what a video's feature vector is made of, for one video and for pages of the catalogue.
-- One set-based function computes both, so a payload cannot depend on how it was asked for.

create function two_tower.item_payloads(p_video_ids uuid[]) returns table (video_id uuid, payload jsonb)
  language plpgsql stable
  security invoker
  set search_path = ''
  set timezone = 'UTC'
  set plan_cache_mode = 'force_custom_plan'
as $$
begin
  return query
  with asked as (
    select v.* from public.videos as v where v.id = any (p_video_ids)
  ),
  tagged as (
    select l.video_id as id, jsonb_agg(t.name order by t.name collate "C") as names
    from public.video_tags as l
    join public.tags as t on t.id = l.tag_id
    where l.video_id = any (p_video_ids) and t.name is not null
    group by l.video_id
  ),
  performed as (
    select l.video_id as id, jsonb_agg(p.name order by p.name collate "C") as names
    from public.video_performers as l
    join public.performers as p on p.id = l.performer_id
    where l.video_id = any (p_video_ids) and p.name is not null
    group by l.video_id
  )
  select
    v.id,
    pg_catalog.jsonb_build_object(
      'video_id', v.id,
      'price', two_tower.finite(v.price::numeric)::float8,
      'duration_seconds', v.duration_seconds,
      'product_released_at', two_tower.finite(v.product_released_at),
      'distribution_started_at', two_tower.finite(v.distribution_started_at),
      'safety_level', coalesce(v.safety_level, 0),
      'region_codes', pg_catalog.to_jsonb(coalesce(v.region_codes, '{}')),
      'tags', coalesce(t.names, '[]'),
      'performers', coalesce(p.names, '[]')
    )
  from asked as v
  left join tagged as t on t.id = v.id
  left join performed as p on p.id = v.id;
end
$$;

comment on function two_tower.item_payloads(uuid[]) is 'Feature payloads of the given videos; unknown ids are left out.';

select two_tower.drop_overloads('get_item_embedding_features');
select two_tower.drop_overloads('get_item_embedding_feature_batch');

create function public.get_item_embedding_features(video_id uuid) returns jsonb
  language plpgsql stable
  security invoker
  set search_path = ''
as $$
declare
  v_payload jsonb := (
    select i.payload from two_tower.item_payloads(array[get_item_embedding_features.video_id]) as i
  );
begin
  if v_payload is null then
    -- PostgREST answers `PT…` with the HTTP status in the last three digits.
    raise exception 'There is no video %', coalesce(get_item_embedding_features.video_id::text, 'null')
      using errcode = 'PT404', hint = 'Ask for the id of a row in public.videos.';
  end if;
  return v_payload;
end
$$;

comment on function public.get_item_embedding_features(uuid) is
  'The feature payload of one video, inactive ones included; an unknown video is an error.';

create function two_tower.page_of_videos(p_after uuid, p_limit int, p_offset int, p_include_inactive boolean)
  returns setof uuid
  language plpgsql stable
  security invoker
  set search_path = ''
  set plan_cache_mode = 'force_custom_plan'
as $$
begin
  return query
  select v.id
  from public.videos as v
  where (p_after is null or v.id > p_after)
    and (p_include_inactive or v.is_active)
  order by v.id
  limit p_limit
  offset p_offset;
end
$$;

create function public.get_item_embedding_feature_batch(
  p_limit int default 100,
  p_offset int default 0,
  p_after uuid default null,
  p_include_inactive boolean default false
) returns table (video_id uuid, payload jsonb)
  language sql stable
  security invoker
  set search_path = ''
  rows 1000
as $$
  select i.video_id, i.payload
  from two_tower.item_payloads(
    array(
      select two_tower.page_of_videos(
        p_after,
        least(greatest(coalesce(p_limit, 100), 1), 1000),
        greatest(coalesce(p_offset, 0), 0),
        coalesce(p_include_inactive, false)
      )
    )
  ) as i
  order by i.video_id
$$;

comment on function public.get_item_embedding_feature_batch(int, int, uuid, boolean) is
  'Payloads of the active videos (all, when asked), by id. Page with p_after = the last id; p_offset walks.';

revoke all on function two_tower.item_payloads(uuid[]) from public, anon, authenticated, service_role;
revoke all on function two_tower.page_of_videos(uuid, int, int, boolean)
  from public, anon, authenticated, service_role;
revoke all on function public.get_item_embedding_features(uuid) from public, anon, authenticated, service_role;
revoke all on function public.get_item_embedding_feature_batch(int, int, uuid, boolean)
  from public, anon, authenticated, service_role;

grant execute on function two_tower.item_payloads(uuid[]) to authenticated, service_role;
grant execute on function two_tower.page_of_videos(uuid, int, int, boolean) to service_role;
grant execute on function public.get_item_embedding_features(uuid) to authenticated, service_role;
grant execute on function public.get_item_embedding_feature_batch(int, int, uuid, boolean) to service_role;
