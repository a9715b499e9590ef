-- Purpose: which database this is, as two_tower.database_identity says, for a database that lacks the function.
select pg_catalog.format(
  '%s/%s',
  (extract(epoch from pg_catalog.pg_postmaster_start_time()) * 1000000)::bigint,
  (select d.oid from pg_catalog.pg_database as d where d.datname = pg_catalog.current_database())
)
