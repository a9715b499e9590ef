-- Purpose: delete rows of the ranges that were read whole which the source no longer has. Parameter: name.
-- Both bounds are plain comparisons in a query of their own, so that an index finds a range; the last one has no upper
-- bound. The rows of all ranges are known before they are compared with the staged ones, once and not a range, and are
-- deleted by their place: by their key the planner would look through the whole table for them.
with here as materialized (
  select a.ctid as place, {key}
  from two_tower.sync_ranges as r
  cross join lateral (
    select a.ctid, {key}
    from public.{table} as a
    where
      a.{first} >= r.lower_id
      and a.{first} <= coalesce(r.upper_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
      and a.{first} is distinct from r.upper_id
    offset 0
  ) as a
  where r.name = %(name)s and r.since is null
)
delete from public.{table} as d
where d.ctid = any (array(
  select s.place from here as s where not exists (select from {staged} as t where {same_key})
))
