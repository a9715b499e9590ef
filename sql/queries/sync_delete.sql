-- Purpose: delete rows of the ranges that were read whole which the source no longer has. Parameter: name.
-- Both bounds are plain comparisons, so that an index finds a range; the last one has no upper bound.
delete from public.{table} as t
using two_tower.sync_ranges as r
where
  r.name = %(name)s
  and r.since is null
  and t.{first} >= r.lower_id
  and t.{first} <= coalesce(r.upper_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
  and t.{first} is distinct from r.upper_id
  and not exists (select from {staged} as s where {same_key})
