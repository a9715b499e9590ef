-- Purpose: empty tables for the source's rows, gone at the end of the transaction. Only columns that a source has are
-- filled; constraints of the real tables are checked when rows reach them.
create temporary table staged_videos (like public.videos) on commit drop;
create temporary table staged_profiles (like public.profiles) on commit drop;
create temporary table staged_tag_groups (like public.tag_groups) on commit drop;
create temporary table staged_tags (like public.tags) on commit drop;
create temporary table staged_video_tags (like public.video_tags) on commit drop;
create temporary table staged_performers (like public.performers) on commit drop;
create temporary table staged_video_performers (like public.video_performers) on commit drop;
create temporary table staged_user_video_decisions (like public.user_video_decisions) on commit drop;
