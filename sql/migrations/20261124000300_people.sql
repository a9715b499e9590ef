-- Purpose: profiles and the decisions that people take about videos.
-- No foreign keys on either: decisions about unknown videos and by people without a profile occur, and count.

create table if not exists public.profiles (
  user_id uuid primary key
);

-- Rows that had no time keep none: an account's age must not be invented.
alter table public.profiles
  add column if not exists display_name text,
  add column if not exists created_at timestamptz;

alter table public.profiles alter column created_at set default now();

create table if not exists public.user_video_decisions (
  user_id uuid not null,
  video_id uuid not null,
  decision_type text not null,
  created_at timestamptz not null default now(),
  primary key (user_id, video_id)
);

alter table public.user_video_decisions
  add column if not exists decision_type text,
  add column if not exists created_at timestamptz not null default now();

-- Writers say `on conflict (user_id, video_id)`, also on a table that was there before.
select two_tower.require_key('user_video_decisions', array['user_id', 'video_id']);

-- One person's history before a moment, and the walk from person to person, read this index alone.
create index if not exists two_tower_decisions_by_user_time
  on public.user_video_decisions (user_id, created_at) include (video_id, decision_type);
-- The last decision, and what was decided since a moment.
create index if not exists two_tower_decisions_by_time on public.user_video_decisions (created_at);

select two_tower.close_new_table(name)
from unnest(array['profiles', 'user_video_decisions']) as name;

grant select, insert, update on public.profiles to authenticated;
grant select, insert, update, delete on public.user_video_decisions to authenticated;
grant select, insert, update, delete on public.profiles, public.user_video_decisions to service_role;

-- `(select auth.uid())` is evaluated once a statement, not once a row.
create policy two_tower_own_read on public.profiles
  for select to authenticated using (user_id = (select auth.uid()));
create policy two_tower_own_insert on public.profiles
  for insert to authenticated with check (user_id = (select auth.uid()));
create policy two_tower_own_update on public.profiles
  for update to authenticated using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));

create policy two_tower_own_read on public.user_video_decisions
  for select to authenticated using (user_id = (select auth.uid()));
create policy two_tower_own_insert on public.user_video_decisions
  for insert to authenticated with check (user_id = (select auth.uid()));
create policy two_tower_own_update on public.user_video_decisions
  for update to authenticated using (user_id = (select auth.uid())) with check (user_id = (select auth.uid()));
create policy two_tower_own_delete on public.user_video_decisions
  for delete to authenticated using (user_id = (select auth.uid()));
