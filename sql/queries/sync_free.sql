-- Purpose: free values of a unique column that move from one row to another; the rows are given theirs afterwards.
update public.{table} as t
set {unique} = null
from {rows} as s
where
  (t.{unique} = s.{unique} and not ({same_key}))
  or ({same_key} and t.{unique} is not null and t.{unique} is distinct from s.{unique})
