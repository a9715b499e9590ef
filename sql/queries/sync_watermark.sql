-- Purpose: up to when a table was brought once. Parameter: name.
select t.watermark from two_tower.sync_tables as t where t.name = %(name)s
