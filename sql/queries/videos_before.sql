-- Purpose: those of some videos that were there before a moment. Parameters: videos (uuid[]), until (timestamptz).
select v.id::text
from public.videos as v
where v.id = any (%(videos)s::uuid[]) and v.created_at < %(until)s::timestamptz;
