-- Purpose: note how far the ranges are read, which are read in their order. Parameters: name, after (a key), rows.
update two_tower.sync_ranges
set
  after_key = %(after)s::uuid[],
  is_read = coalesce(upper_id <= (%(after)s::uuid[])[1], false),
  staged_rows = staged_rows
    + case when upper_id is null or upper_id > (%(after)s::uuid[])[1] then %(rows)s else 0 end
where name = %(name)s and not is_read and lower_id <= (%(after)s::uuid[])[1]
