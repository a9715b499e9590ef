-- Purpose: the types of some decisions, in their order. Parameters: user_ids, video_ids.
select d.decision_type::text
from unnest(%(user_ids)s::uuid[], %(video_ids)s::uuid[])
  with ordinality as wanted (user_id, video_id, place)
join public.user_video_decisions as d on d.user_id::uuid = wanted.user_id and d.video_id::uuid = wanted.video_id
order by wanted.place
