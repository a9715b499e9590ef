-- Purpose: the version of pgvector that is installed in this database, and the one its server offers.
select
  (select extversion from pg_catalog.pg_extension where extname = 'vector') as installed,
  (select default_version from pg_catalog.pg_available_extensions where name = 'vector') as available;
