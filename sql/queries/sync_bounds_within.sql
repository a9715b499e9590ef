-- Purpose: the ids of a range. Parameters: lower, upper.
select distinct t.{key}
from public.{table} as t
where t.{key} > %(lower)s and (%(upper)s::uuid is null or t.{key} < %(upper)s::uuid)
order by 1
