-- Purpose: distances of the nearest videos in one version's table, found as recommend_videos_ann finds them, for many
-- users at once. Where without_seen is true, each user's own decided videos are excluded as well.
-- Parameters: users (uuid[]), vectors (text[]), vector_table, vector_index (text), count (int), banned_tag_ids (uuid[]),
-- max_safety_level (int), regions (text[]), exclude (uuid[]), without_seen (boolean).
select q.number, n.distance
from unnest(%(users)s::uuid[], %(vectors)s::text[]) with ordinality as q (user_id, vector, number)
cross join lateral (
  select
    case
      when %(without_seen)s then array(
        select d.video_id from public.user_video_decisions as d where d.user_id = q.user_id
      )
      else %(exclude)s::uuid[]
    end as ids
) as x
cross join lateral two_tower.nearest(
  %(vector_table)s,
  %(vector_index)s,
  two_tower.admissible(
    %(banned_tag_ids)s::uuid[], %(max_safety_level)s::int, %(regions)s::text[], x.ids, null
  ),
  q.vector::vector,
  %(count)s,
  %(banned_tag_ids)s::uuid[],
  %(max_safety_level)s::int,
  %(regions)s::text[],
  x.ids,
  null
) as n
order by q.number, n.distance
