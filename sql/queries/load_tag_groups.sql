-- Purpose: make public.tag_groups equal to its staged rows, touching only rows that differ.
delete from public.tag_groups as t
where not exists (select from staged_tag_groups as s where t.id = s.id);

insert into public.tag_groups as t (id, name)
select s.id, s.name
from staged_tag_groups as s
on conflict (id) do update set
  name = excluded.name
where (t.name) is distinct from (excluded.name);
