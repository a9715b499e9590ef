-- Purpose: for those of some videos that anybody had decided on before a moment: the sum of 2^(-age / half-life) over
-- their LIKEs by then. There is no index by video: every earlier decision is read once.
-- Parameters: videos (uuid[]), until (timestamptz), half_life_days (float8).
select
  d.video_id::text,
  coalesce(
    sum(
      pg_catalog.power(
        2::float8,
        -extract(epoch from %(until)s::timestamptz - d.created_at)::float8 / 86400 / %(half_life_days)s::float8
      )
    ) filter (where two_tower.is_like(d.decision_type)),
    0
  )
from public.user_video_decisions as d
where d.video_id = any (%(videos)s::uuid[]) and d.created_at < %(until)s::timestamptz
group by d.video_id;
