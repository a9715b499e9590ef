-- Purpose: somebody to try the functions as: who LIKEs most; no row where nobody has decided anything.
select user_id::text, count(*) filter (where two_tower.is_like(decision_type)) as likes
from public.user_video_decisions
group by user_id
order by likes desc, user_id
limit 1;
