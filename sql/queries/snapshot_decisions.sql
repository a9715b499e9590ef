-- Purpose: decisions before a moment in columns of fixed width, so that binary COPY can be read as an array.
-- The type is its place (from 1) in the list of all types.
select
  d.user_id::uuid,
  d.video_id::uuid,
  d.created_at::timestamptz,
  pg_catalog.array_position({types}::text[], d.decision_type::text)::int2
from public.user_video_decisions as d
where d.created_at < {cutoff}
  and d.created_at > '-infinity'
  and d.decision_type is not null
