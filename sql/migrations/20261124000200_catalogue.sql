-- Purpose: videos with their tags and performers.
-- Each table is made with its key alone and then given what it lacks, so a table that was there before gains the
-- missing columns and keeps every row.

create table if not exists public.videos (
  id uuid primary key default gen_random_uuid()
);

alter table public.videos
  add column if not exists external_id text unique,
  add column if not exists title text,
  add column if not exists description text,
  add column if not exists duration_seconds int,
  add column if not exists thumbnail_url text,
  add column if not exists preview_video_url text,
  add column if not exists distribution_code text,
  add column if not exists maker_code text,
  add column if not exists director text,
  add column if not exists series text,
  add column if not exists maker text,
  add column if not exists label text,
  add column if not exists price numeric,
  add column if not exists distribution_started_at timestamptz,
  add column if not exists product_released_at timestamptz,
  add column if not exists published_at timestamptz,
  add column if not exists sample_video_url text,
  add column if not exists product_url text,
  add column if not exists image_urls text[],
  add column if not exists source text,
  add column if not exists created_at timestamptz not null default now(),
  add column if not exists safety_level smallint not null default 0,
  add column if not exists region_codes text[] not null default '{}',
  add column if not exists is_active boolean not null default true;

create table if not exists public.tag_groups (
  id uuid primary key default gen_random_uuid()
);

alter table public.tag_groups
  add column if not exists name text;

create table if not exists public.tags (
  id uuid primary key default gen_random_uuid()
);

alter table public.tags
  add column if not exists name text,
  add column if not exists tag_group_id uuid references public.tag_groups (id) on delete set null;

create table if not exists public.video_tags (
  video_id uuid not null references public.videos (id) on delete cascade,
  tag_id uuid not null references public.tags (id) on delete cascade,
  primary key (video_id, tag_id)
);

create table if not exists public.performers (
  id uuid primary key default gen_random_uuid()
);

alter table public.performers
  add column if not exists name text;

create table if not exists public.video_performers (
  video_id uuid not null references public.videos (id) on delete cascade,
  performer_id uuid not null references public.performers (id) on delete cascade,
  primary key (video_id, performer_id)
);

-- Link tables that were there before may lack the key that lets them be read by video.
select two_tower.require_key('video_tags', array['video_id', 'tag_id']);
select two_tower.require_key('video_performers', array['video_id', 'performer_id']);

-- Pages of the active catalogue; link tables from their other side; what the foreign keys look up.
create index if not exists two_tower_videos_active on public.videos (id) where is_active;
create index if not exists two_tower_video_tags_by_tag on public.video_tags (tag_id, video_id);
create index if not exists two_tower_video_performers_by_performer on public.video_performers (performer_id, video_id);
create index if not exists two_tower_tags_by_group on public.tags (tag_group_id);

select two_tower.close_new_table(name)
from unnest(array['videos', 'tag_groups', 'tags', 'video_tags', 'performers', 'video_performers']) as name;

grant select
  on public.videos, public.tag_groups, public.tags, public.video_tags, public.performers, public.video_performers
  to authenticated;
grant select, insert, update, delete
  on public.videos, public.tag_groups, public.tags, public.video_tags, public.performers, public.video_performers
  to service_role;

-- Inactive videos are readable too: a person's features come from everything they liked, and must be the same
-- whether the person or the service role asks.
create policy two_tower_read on public.videos for select to authenticated using (true);
create policy two_tower_read on public.tag_groups for select to authenticated using (true);
create policy two_tower_read on public.tags for select to authenticated using (true);
create policy two_tower_read on public.video_tags for select to authenticated using (true);
create policy two_tower_read on public.performers for select to authenticated using (true);
create policy two_tower_read on public.video_performers for select to authenticated using (true);
