-- Purpose: the nearest videos to a user vector of the named version that the user has not decided on, with titles.
select r.video_id::text, v.title, v.maker, r.similarity
from public.recommend_videos_ann(
  p_embedding => %(embedding)s,
  p_limit => %(limit)s,
  p_exclude_video_ids => array(
    select d.video_id from public.user_video_decisions as d where d.user_id = %(user_id)s::uuid
  ),
  p_released_before => %(as_of)s,
  p_model_version => %(model_version)s
) as r
join public.videos as v on v.id = r.video_id
order by r.distance
