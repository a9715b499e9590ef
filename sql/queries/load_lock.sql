-- Purpose: one load at a time in a database; held to the end of the transaction.
select pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('two_tower.load', 0))
