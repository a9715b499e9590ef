-- Purpose: active videos that the live version has no vector of, by id. Two indexes are walked side by side; neither
-- table is read. Parameter: most (int).
select v.id::text
from public.videos as v
where v.is_active
  and not exists (select from public.video_embeddings as e where e.video_id = v.id)
order by v.id
limit %(most)s;
