-- Purpose: what of some videos a list is put in order by: price, release in microseconds since 1970, maker and the
-- different names of tags. Parameter: videos (uuid[]).
select
  v.id::text,
  two_tower.finite(v.price::numeric)::float8,
  (extract(epoch from two_tower.finite(v.product_released_at)) * 1000000)::bigint,
  v.maker,
  array(
    select distinct t.name
    from public.video_tags as l
    join public.tags as t on t.id = l.tag_id
    where l.video_id = v.id and t.name is not null
  )
from public.videos as v
where v.id = any (%(videos)s::uuid[]);
