-- Purpose: ids that divide a range of a table roughly evenly, from a sample of its blocks. Parameters: share (percent),
-- lower, upper.
select distinct t.{key}
from public.{table} as t tablesample system (%(share)s) repeatable (0)
where t.{key} > %(lower)s and (%(upper)s::uuid is null or t.{key} < %(upper)s::uuid)
order by 1
