-- Purpose: one sync at a time in a database; held to the end of the session.
select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtextextended('two_tower.sync', 0))
