-- Purpose: what decisions there are before a moment, type by type, before they are copied.
-- A null moment stands for the last decision so far; decisions later than now are left for a later snapshot.
with moment as (
  select coalesce(
    %(cutoff)s::timestamptz,
    (
      select pg_catalog.max(d.created_at) + interval '1 microsecond'
      from public.user_video_decisions as d
      where d.created_at <= pg_catalog.now()
        and pg_catalog.isfinite(d.created_at)
    )
  ) as cutoff
)
select
  m.cutoff,
  d.decision_type,
  pg_catalog.count(*) filter (where d.created_at < m.cutoff and pg_catalog.isfinite(d.created_at)) as before,
  pg_catalog.count(*) filter (where d.created_at >= m.cutoff and pg_catalog.isfinite(d.created_at)) as later,
  pg_catalog.count(*) filter (where d.created_at is null or not pg_catalog.isfinite(d.created_at)) as without_time
from moment as m
cross join public.user_video_decisions as d
group by m.cutoff, d.decision_type
order by d.decision_type collate "C"
