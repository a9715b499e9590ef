-- Purpose: the record of applied migrations, made by the migrator before the first of them.
create schema if not exists two_tower;

create table if not exists two_tower.schema_migrations (
  version text primary key,
  name text not null,
  checksum text not null,
  adopted boolean not null default false,
  applied_at timestamptz not null default now()
);

comment on table two_tower.schema_migrations is
  'Applied migration files and the SHA-256 of their text; adopted: pushed by the Supabase CLI, recorded afterwards.';

revoke all on two_tower.schema_migrations from public, anon, authenticated, service_role;
