-- Purpose: change rows that are there already and differ.
update public.{table} as t
set {assignments}
from {rows} as s
where {same_key} and ({here}) is distinct from ({there})
