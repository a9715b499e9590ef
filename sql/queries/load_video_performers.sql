-- Purpose: make public.video_performers equal to its staged rows, touching only rows that differ.
delete from public.video_performers as t
where not exists (select from staged_video_performers as s where t.video_id = s.video_id and t.performer_id = s.performer_id);

insert into public.video_performers (video_id, performer_id)
select s.video_id, s.performer_id
from staged_video_performers as s
on conflict do nothing;
