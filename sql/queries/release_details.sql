-- Purpose: releases as people look at them, newest version first: the registry's row, who made it live last, how many
-- user vectors it has, and how large its video vectors and their indexes are (null once they were dropped).
-- Parameter: model_version (text), or null for all.
select
  r.model_version, r.state, r.manifest_hash, r.artifact_prefix, r.metrics, r.created_at, r.created_by, r.verified_at,
  r.activated_at, r.previous_version, r.vector_table, r.video_count,
  (
    select l.by_whom from public.release_log as l where l.to_version = r.model_version order by l.id desc limit 1
  ) as activated_by,
  case when r.vector_table is not null then (
    select count(*) from two_tower.user_embedding_versions as u where u.model_version = r.model_version
  ) end as user_count,
  pg_catalog.pg_table_size(pg_catalog.to_regclass(r.vector_table)) as table_bytes,
  pg_catalog.pg_indexes_size(pg_catalog.to_regclass(r.vector_table)) as index_bytes
from public.model_releases as r
where %(model_version)s::text is null or r.model_version = %(model_version)s
order by r.model_version desc;
