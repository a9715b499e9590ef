-- Purpose: what recommend_for_user would have found for some served lists by other vectors: the nearest videos in one
-- version's table in their order with their distances, and the distances of what was served. Filters are those of a
-- request that names none. Parameters: lists (uuid[]), vectors (text[]), vector_table, vector_index (text),
-- candidates (int).
select n.ids::text[], n.distances, two_tower.distances(%(vector_table)s, q.vector::vector, l.video_ids)
from unnest(%(lists)s::uuid[], %(vectors)s::text[]) with ordinality as q (list_id, vector, place)
join public.served_lists as l on l.list_id = q.list_id
cross join lateral (
  select
    least(500, greatest(%(candidates)s::int, ceil(1.5 * cardinality(l.video_ids))::int)) as candidates,
    array(
      select d.video_id
      from public.user_video_decisions as d
      where d.user_id = l.user_id and d.created_at < l.served_at
    ) as decided
) as x
cross join lateral (
  select
    coalesce(array_agg(f.video_id order by f.distance, f.video_id), '{}') as ids,
    coalesce(array_agg(f.distance order by f.distance, f.video_id), '{}') as distances
  from two_tower.nearest(
    %(vector_table)s,
    %(vector_index)s,
    two_tower.admissible(null, 1, null, x.decided, l.served_at) || ' and v.created_at < $7',
    q.vector::vector,
    x.candidates,
    null,
    1,
    null,
    x.decided,
    l.served_at,
    p_ef_search => greatest(120, 2 * x.candidates)
  ) as f
) as n
order by q.place;
