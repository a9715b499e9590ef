-- Purpose: forget the ranges of a table. Parameter: name.
delete from two_tower.sync_ranges where name = %(name)s
