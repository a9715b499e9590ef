-- Purpose: how many videos the pages must hold together, counted without them.
select pg_catalog.count(*) from public.videos
