-- Purpose: titles of some videos. Parameter: videos (ids as text).
select v.id::text, v.title
from public.videos as v
where v.id = any (%(videos)s::uuid[]) and v.title is not null
