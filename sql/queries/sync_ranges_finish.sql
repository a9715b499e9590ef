-- Purpose: note that all ranges of a table are read to their end. Parameter: name.
update two_tower.sync_ranges set is_read = true where name = %(name)s and not is_read
