-- Purpose: what was shown to whom, where and how likely: what training and experiments need to learn from decisions
-- without mistaking what was never shown for what was not wanted.

create table public.served_lists (
  list_id uuid primary key,
  user_id uuid not null,
  model_version text not null,
  served_at timestamptz not null default now(),
  arm text not null,
  first_position int not null check (first_position >= 0),
  video_ids uuid[] not null,
  scores float8[] not null,
  sources text[] not null check (sources <@ array['model', 'popular', 'explore']),
  propensities float8[] not null check (0 < all (propensities) and 1 >= all (propensities)),
  check (pg_catalog.array_position(video_ids, null) is null and pg_catalog.array_position(scores, null) is null),
  check (pg_catalog.array_position(sources, null) is null and pg_catalog.array_position(propensities, null) is null),
  check (pg_catalog.cardinality(scores) = pg_catalog.cardinality(video_ids)),
  check (pg_catalog.cardinality(sources) = pg_catalog.cardinality(video_ids)),
  check (pg_catalog.cardinality(propensities) = pg_catalog.cardinality(video_ids))
);

comment on table public.served_lists is
  'Each list that was answered, once; the arrays run along its places, the first of which is first_position.';
comment on column public.served_lists.propensities is
  'Chance that the video stood at its place, given the places before it.';
comment on column public.served_lists.first_position is
  'How many videos earlier pages of the same list had shown.';

create index served_lists_by_user on public.served_lists (user_id, served_at);
create index served_lists_by_time on public.served_lists (served_at);

create trigger served_lists_only_grows
  before update or delete or truncate on public.served_lists
  for each statement execute function two_tower.refuse_change();

alter table public.served_lists enable row level security;
revoke all on public.served_lists from public, anon, authenticated, service_role;
grant select, insert on public.served_lists to service_role;

-- PostgREST learns of the functions and tables of these migrations.
notify pgrst, 'reload schema';
