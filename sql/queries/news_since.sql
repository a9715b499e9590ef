-- Purpose: decisions and active videos that came since a moment, each counted up to a limit, and the time now. Both
-- counts read an index from that moment on and stop at their limit.
-- Parameters: since (timestamptz), most_decisions, most_videos (int).
select
  pg_catalog.now() as counted_at,
  (
    select count(*)
    from (
      select
      from public.user_video_decisions as d
      where d.created_at >= %(since)s::timestamptz and d.created_at < pg_catalog.now()
      limit %(most_decisions)s
    ) as newer
  ) as decisions,
  (
    select count(*)
    from (
      select
      from public.videos as v
      where v.is_active and v.created_at >= %(since)s::timestamptz and v.created_at < pg_catalog.now()
      limit %(most_videos)s
    ) as newer
  ) as videos;
