-- Purpose: each place of some served lists whose window is over: who was shown which video with what chance, and
-- whether a LIKE of it followed within the window. Parameters: lists (uuid[]), until (timestamptz),
-- attribution (interval), tolerance (interval).
select
  l.list_id::text, l.user_id::text, p.video_id::text, p.propensity,
  (
    d.created_at >= l.served_at - %(tolerance)s::interval
    and d.created_at < l.served_at + %(attribution)s::interval
    and two_tower.is_like(d.decision_type)
  ) is true
from public.served_lists as l
cross join unnest(l.video_ids, l.propensities) as p (video_id, propensity)
left join public.user_video_decisions as d on d.user_id = l.user_id and d.video_id = p.video_id
where l.list_id = any (%(lists)s::uuid[]) and l.served_at <= %(until)s::timestamptz - %(attribution)s::interval;
