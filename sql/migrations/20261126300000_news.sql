-- Purpose: what is new can be counted without reading what is old. Decisions have had such an index from the start.

create index if not exists two_tower_videos_by_time on public.videos (created_at);
