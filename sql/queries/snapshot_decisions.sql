-- Purpose: decisions before a moment in columns of fixed width, so that binary COPY can be read as an array.
-- The type is its place (from 1) in the list of all types; `case` finds it faster than a search in an array.
select
  d.user_id::uuid,
  d.video_id::uuid,
  d.created_at::timestamptz,
  (case d.decision_type::text {places} end)::int2
from public.user_video_decisions as d
where d.created_at < {cutoff}
  and d.created_at > '-infinity'
  and d.decision_type is not null
