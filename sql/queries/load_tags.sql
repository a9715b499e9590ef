-- Purpose: make public.tags equal to its staged rows, touching only rows that differ.
delete from public.tags as t
where not exists (select from staged_tags as s where t.id = s.id);

insert into public.tags as t (id, name, tag_group_id)
select s.id, s.name, s.tag_group_id
from staged_tags as s
on conflict (id) do update set
  name = excluded.name,
  tag_group_id = excluded.tag_group_id
where (t.name, t.tag_group_id) is distinct from (excluded.name, excluded.tag_group_id);
