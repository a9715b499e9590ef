-- Purpose: what each of some users has decided on. Parameter: users (uuid[]).
select d.user_id::text, d.video_id::text
from public.user_video_decisions as d
where d.user_id = any (%(users)s::uuid[])
order by d.user_id, d.video_id
