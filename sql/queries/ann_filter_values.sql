-- Purpose: values for the filters that the index check searches under: the strictest safety level, the most frequent
-- region and the three most frequent tags of the active catalogue. Null or empty where the catalogue has none.
select
  (select min(coalesce(v.safety_level, 0)) from public.videos as v where v.is_active),
  (
    select r.code
    from public.videos as v
    cross join lateral unnest(v.region_codes::text[]) as r (code)
    where v.is_active
    group by r.code
    order by count(*) desc, r.code
    limit 1
  ),
  array(
    select t.tag_id::text
    from public.video_tags as t
    group by t.tag_id
    order by count(*) desc, t.tag_id
    limit 3
  )
