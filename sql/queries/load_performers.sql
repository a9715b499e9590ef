-- Purpose: make public.performers equal to its staged rows, touching only rows that differ.
delete from public.performers as t
where not exists (select from staged_performers as s where t.id = s.id);

insert into public.performers as t (id, name)
select s.id, s.name
from staged_performers as s
on conflict (id) do update set
  name = excluded.name
where (t.name) is distinct from (excluded.name);
