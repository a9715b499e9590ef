-- Purpose: free values of a unique column that move to another row, which is given its own afterwards.
update public.{table} as t
set {unique} = null
from {rows} as s
where t.{unique} = s.{unique} and not ({same_key})
