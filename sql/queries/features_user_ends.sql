-- Purpose: the last user of each page and how many users there are up to there, all counted without the pages.
-- Parameters: as_of, page.
select u.user_id::text, u.number
from (
  select
    d.user_id,
    pg_catalog.row_number() over (order by d.user_id) as number,
    pg_catalog.count(*) over () as users
  from public.user_video_decisions as d
  where d.created_at < %(as_of)s::timestamptz
  group by d.user_id
) as u
where u.number %% %(page)s = 0 or u.number = u.users
order by u.number
