-- Purpose: which of the two records of migrations this database has: ours, the Supabase CLI's.
select
  to_regclass('two_tower.schema_migrations') is not null as ours,
  to_regclass('supabase_migrations.schema_migrations') is not null as cli;
