-- Purpose: every video with its sorted tag and performer names as one JSON object a row; times are microseconds
-- since the Unix epoch, and numbers that are not finite are null.
select pg_catalog.json_build_object(
  'id', v.id,
  'title', v.title,
  'maker', v.maker,
  'price', case when v.price::text not in ('NaN', 'Infinity', '-Infinity') then v.price::float8 end,
  'duration_seconds', v.duration_seconds,
  'product_released_at', case when pg_catalog.isfinite(v.product_released_at)
    then (extract(epoch from v.product_released_at) * 1000000)::bigint end,
  'distribution_started_at', case when pg_catalog.isfinite(v.distribution_started_at)
    then (extract(epoch from v.distribution_started_at) * 1000000)::bigint end,
  'created_at', case when pg_catalog.isfinite(v.created_at)
    then (extract(epoch from v.created_at) * 1000000)::bigint end,
  'safety_level', coalesce(v.safety_level, 0),
  'region_codes', coalesce(pg_catalog.array_remove(v.region_codes, null), '{}'),
  'is_active', coalesce(v.is_active, true),
  'tags', coalesce(t.names, '{}'),
  'performers', coalesce(p.names, '{}')
)
from public.videos as v
left join (
  select vt.video_id, pg_catalog.array_agg(tag.name order by tag.name collate "C") as names
  from public.video_tags as vt
  join public.tags as tag on tag.id = vt.tag_id
  where tag.name is not null
  group by vt.video_id
) as t on t.video_id = v.id
left join (
  select vp.video_id, pg_catalog.array_agg(performer.name order by performer.name collate "C") as names
  from public.video_performers as vp
  join public.performers as performer on performer.id = vp.performer_id
  where performer.name is not null
  group by vp.video_id
) as p on p.video_id = v.id
