-- Purpose: make public.video_tags equal to its staged rows, touching only rows that differ.
delete from public.video_tags as t
where not exists (select from staged_video_tags as s where t.video_id = s.video_id and t.tag_id = s.tag_id);

insert into public.video_tags (video_id, tag_id)
select s.video_id, s.tag_id
from staged_video_tags as s
on conflict do nothing;
