-- Purpose: how many decisions there are before and after a moment. Parameter: cutoff.
-- One plain scan without groups, so that it runs in parallel and compares no text.
select
  pg_catalog.count(*) filter (where d.created_at < {cutoff} and d.created_at > '-infinity') as before,
  pg_catalog.count(*) filter (
    where d.created_at < {cutoff} and d.created_at > '-infinity' and d.decision_type is null
  ) as untyped,
  pg_catalog.count(*) filter (where d.created_at >= {cutoff} and d.created_at < 'infinity') as later,
  pg_catalog.count(*) as decisions
from public.user_video_decisions as d
