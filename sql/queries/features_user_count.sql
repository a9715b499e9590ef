-- Purpose: how many users the pages must hold together, counted without them. Parameter: as_of.
select pg_catalog.count(distinct d.user_id)
from public.user_video_decisions as d
where d.created_at < %(as_of)s::timestamptz
