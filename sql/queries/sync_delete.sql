-- Purpose: delete rows of the ranges that were read whole which the source no longer has. Parameter: name.
-- Both bounds are plain comparisons in a query of their own, so that an index finds a range; the last one has no upper
-- bound. What is gone is known before the rows are looked up again.
with s as materialized (
  select s.*
  from two_tower.sync_ranges as r
  cross join lateral (
    select a.*
    from public.{table} as a
    where
      a.{first} >= r.lower_id
      and a.{first} <= coalesce(r.upper_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      and a.{first} is distinct from r.upper_id
    offset 0
  ) as s
  where
    r.name = %(name)s
    and r.since is null
    and not exists (select from {staged} as t where {same_key})
)
delete from public.{table} as t using s where {same_key}
