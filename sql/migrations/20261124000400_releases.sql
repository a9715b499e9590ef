-- Purpose: the registry of model releases, the one-row pointer to the live one, and the log of its moves.
-- The pointer moves only in two_tower.activate_release.

-- What a version's tables are called in schema two_tower.
create function two_tower.version_suffix(p_model_version text) returns text
  language sql immutable parallel safe
  security invoker
  return pg_catalog.lower(pg_catalog.translate(p_model_version, '.-', '__'));

revoke all on function two_tower.version_suffix(text) from public, anon, authenticated, service_role;

create table public.model_releases (
  model_version text primary key
    check (model_version ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$')
    check (two_tower.version_suffix(model_version) <> 'unreleased'),
  state text not null default 'staged' check (state in ('staged', 'verified', 'live', 'retired', 'failed')),
  manifest_hash text,
  artifact_prefix text,
  metrics jsonb not null default '{}',
  created_at timestamptz not null default now(),
  created_by text not null default current_user,
  verified_at timestamptz,
  activated_at timestamptz,
  previous_version text references public.model_releases (model_version),
  vector_table text unique,
  video_count int check (video_count >= 0)
);

comment on table public.model_releases is 'Every model version that was prepared for serving.';
comment on column public.model_releases.vector_table is
  'Qualified name of the table with this version''s video vectors; null before it is made and after it is dropped.';
comment on column public.model_releases.video_count is
  'How many video vectors the version must have to go live.';

-- Two versions must never share tables, nor both be live.
create unique index model_releases_by_suffix on public.model_releases (two_tower.version_suffix(model_version));
create unique index model_releases_one_live on public.model_releases (state) where state = 'live';
create index model_releases_by_previous on public.model_releases (previous_version);

create table public.live_release (
  singleton boolean primary key default true check (singleton),
  model_version text not null references public.model_releases (model_version),
  activated_at timestamptz not null default now(),
  activated_by text not null default current_user
);

comment on table public.live_release is 'The version that is live: one row, or none before the first release.';

create index live_release_by_version on public.live_release (model_version);

create table public.release_log (
  id bigint generated always as identity primary key,
  from_version text,
  to_version text not null,
  action text not null check (action in ('release', 'rollback')),
  at timestamptz not null default now(),
  by_whom text not null default current_user,
  note text
);

comment on table public.release_log is 'Every move of the live pointer; rows are only ever added.';

create function two_tower.refuse_change() returns trigger
  language plpgsql
  security invoker
  set search_path = ''
as $$
begin
  raise exception '%.% only grows: % is refused', tg_table_schema, tg_table_name, lower(tg_op)
    using errcode = 'insufficient_privilege', hint = 'Add a row that corrects the earlier one.';
end
$$;

revoke all on function two_tower.refuse_change() from public, anon, authenticated, service_role;

create trigger release_log_only_grows
  before update or delete or truncate on public.release_log
  for each statement execute function two_tower.refuse_change();

alter table public.model_releases enable row level security;
alter table public.live_release enable row level security;
alter table public.release_log enable row level security;

revoke all on public.model_releases, public.live_release, public.release_log
  from public, anon, authenticated, service_role;
grant select on public.model_releases, public.live_release, public.release_log to service_role;

-- recommend_videos_ann runs as its caller and must find the live version's table; metrics and names of people
-- stay closed.
grant select (model_version, vector_table) on public.model_releases to authenticated;
grant select (model_version) on public.live_release to authenticated;
create policy two_tower_read on public.model_releases for select to authenticated using (state = 'live');
create policy two_tower_read on public.live_release for select to authenticated using (true);
