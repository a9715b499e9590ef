-- Purpose: lists of the latest days with what each place held and where it came from. Parameters: days (int), until
-- (timestamptz).
select s.list_id::text, s.user_id::text, s.model_version, s.served_at, s.video_ids::text[], s.sources
from public.served_lists as s
where s.served_at >= %(until)s::timestamptz - pg_catalog.make_interval(days => %(days)s)
  and s.served_at < %(until)s::timestamptz
order by s.served_at, s.list_id;
