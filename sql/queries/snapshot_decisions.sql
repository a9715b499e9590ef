-- Purpose: decisions before a moment in columns of fixed width, so that binary COPY can be read as an array.
-- A hash stands for the type, which would cost more to find in a list; `snapshot_decision_names` gives the names.
select
  d.user_id::uuid,
  d.video_id::uuid,
  d.created_at::timestamptz,
  pg_catalog.hashtextextended(d.decision_type::text, 0)
from public.user_video_decisions as d
where d.created_at < {cutoff}
  and d.created_at > '-infinity'
  and d.decision_type is not null
