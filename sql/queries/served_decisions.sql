-- Purpose: decisions of the latest days by users who were served a list in them. Parameters: days (int), until
-- (timestamptz).
select d.user_id::text, d.video_id::text, d.decision_type, d.created_at
from public.user_video_decisions as d
where d.created_at >= %(until)s::timestamptz - pg_catalog.make_interval(days => %(days)s)
  and d.created_at < %(until)s::timestamptz
  and exists (
    select
    from public.served_lists as s
    where s.user_id = d.user_id
      and s.served_at >= %(until)s::timestamptz - pg_catalog.make_interval(days => %(days)s)
  )
order by d.created_at, d.user_id, d.video_id;
