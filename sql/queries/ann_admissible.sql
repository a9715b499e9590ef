-- Purpose: the videos that a search with these filters may return.
-- Parameters: banned_tag_ids (uuid[]), max_safety_level (int), regions (text[]), exclude (uuid[]).
select v.id::text
from two_tower.admissible_videos(
  %(banned_tag_ids)s::uuid[], %(max_safety_level)s::int, %(regions)s::text[], %(exclude)s::uuid[], null
) as v (id)
order by v.id
