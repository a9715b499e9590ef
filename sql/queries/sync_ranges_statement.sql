-- Purpose: the statement that counts and hashes ranges of ids of a table. Parameters: table, key, columns, scattered.
select two_tower.sync_ranges_sql(%(table)s, %(key)s, %(columns)s, %(scattered)s)
