-- Purpose: delete rows of the ranges that were read whole which the source no longer has. Parameter: name.
delete from public.{table} as t
using two_tower.sync_ranges as r
where
  r.name = %(name)s
  and r.since is null
  and t.{first} >= r.lower_id
  and (r.upper_id is null or t.{first} < r.upper_id)
  and not exists (select from {staged} as s where {same_key})
