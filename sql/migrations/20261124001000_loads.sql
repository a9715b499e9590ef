-- Purpose: what was loaded into the source tables, from where, and how many rows.

create table two_tower.loads (
  id bigint generated always as identity primary key,
  source text not null,
  content_hash text not null,
  row_counts jsonb not null,
  loaded_at timestamptz not null default now()
);

comment on table two_tower.loads is 'Loads into the source tables; the same content_hash twice means the same rows.';

create index loads_by_content on two_tower.loads (content_hash);

revoke all on two_tower.loads from public, anon, authenticated, service_role;
grant select on two_tower.loads to service_role;

-- PostgREST learns of the functions and tables of these migrations.
notify pgrst, 'reload schema';
