-- Purpose: the ids of each of several ranges, the first one's lower bound left out. Parameters: lowers, uppers.
select w.place::int, array_agg(distinct t.{key} order by t.{key})
from unnest(%(lowers)s::uuid[], %(uppers)s::uuid[]) with ordinality as w (lower_id, upper_id, place)
cross join lateral (
  select a.{key}
  from public.{table} as a
  where
    a.{key} > w.lower_id
    and a.{key} <= coalesce(w.upper_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')
    and a.{key} is distinct from w.upper_id
  offset 0
) as t
group by w.place
