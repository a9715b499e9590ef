-- Purpose: ids that divide a table roughly evenly. Rows are drawn one by one, since blocks may be in the ids' order.
-- Parameter: share (percent).
select distinct t.{key}
from public.{table} as t tablesample bernoulli (%(share)s) repeatable (0)
order by 1
