-- Purpose: make public.user_video_decisions equal to its staged rows, touching only rows that differ.
delete from public.user_video_decisions as t
where not exists (select from staged_user_video_decisions as s where t.user_id = s.user_id and t.video_id = s.video_id);

insert into public.user_video_decisions as t (user_id, video_id, decision_type, created_at)
select s.user_id, s.video_id, s.decision_type, s.created_at
from staged_user_video_decisions as s
on conflict (user_id, video_id) do update set
  decision_type = excluded.decision_type,
  created_at = excluded.created_at
where (t.decision_type, t.created_at) is distinct from (excluded.decision_type, excluded.created_at);
