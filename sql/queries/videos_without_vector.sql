-- Purpose: active videos that a version has no vector of, by id. Two indexes are walked side by side; neither table is
-- read. Parameters: {vectors}, the version's table or the view of the live one's; most (int).
select v.id::text
from public.videos as v
where v.is_active
  and not exists (select from {vectors} as e where e.video_id = v.id)
order by v.id
limit %(most)s;
