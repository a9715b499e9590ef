-- Purpose: what decisions there are before and after a moment, type by type. Parameter: cutoff.
-- One plain scan, so that it runs in parallel.
select
  d.decision_type::text,
  pg_catalog.count(*) as decisions,
  pg_catalog.count(*) filter (where d.created_at < {cutoff} and d.created_at > '-infinity') as before,
  pg_catalog.count(*) filter (where d.created_at >= {cutoff} and d.created_at < 'infinity') as later
from public.user_video_decisions as d
group by 1
