-- Purpose: note how far a range is read. Parameters: name, place, after, rows, is_read.
update two_tower.sync_ranges
set
  after_key = coalesce(%(after)s::uuid[], after_key),
  staged_rows = staged_rows + %(rows)s,
  is_read = %(is_read)s
where name = %(name)s and place = %(place)s
