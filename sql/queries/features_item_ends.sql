-- Purpose: the last video of each page and how many videos there are up to there, all counted without the pages.
-- Parameter: page.
select v.id::text, v.number
from (
  select
    id,
    pg_catalog.row_number() over (order by id) as number,
    pg_catalog.count(*) over () as videos
  from public.videos
) as v
where v.number %% %(page)s = 0 or v.number = v.videos
order by v.number
