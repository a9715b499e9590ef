-- Purpose: make public.profiles equal to its staged rows, touching only rows that differ.
delete from public.profiles as t
where not exists (select from staged_profiles as s where t.user_id = s.user_id);

insert into public.profiles as t (user_id, display_name, created_at)
select s.user_id, s.display_name, s.created_at
from staged_profiles as s
on conflict (user_id) do update set
  display_name = excluded.display_name,
  created_at = excluded.created_at
where (t.display_name, t.created_at) is distinct from (excluded.display_name, excluded.created_at);
