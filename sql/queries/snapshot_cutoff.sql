-- Purpose: the moment just after the last decision so far; decisions later than now are left for a later snapshot.
select pg_catalog.max(d.created_at) + interval '1 microsecond'
from public.user_video_decisions as d
where d.created_at <= pg_catalog.now()
  and d.created_at > '-infinity'
