-- Purpose: whether a sync has brought rows here that no load record tells of yet. Parameter: source.
select
  not exists (select from two_tower.loads)
  and exists (select from two_tower.sync_origin as o where o.source = %(source)s)
