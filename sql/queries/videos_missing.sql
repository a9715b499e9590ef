-- Purpose: active videos that are not among some ids, the first three. Parameter: ids (uuid[]).
select v.id::text
from public.videos as v
where v.is_active
  and v.id <> all (%(ids)s::uuid[])
order by v.id
limit 3
