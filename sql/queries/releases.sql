-- Purpose: the registry of releases, newest version first. Parameter: model_version (text), or null for all.
select
  model_version, state, manifest_hash, artifact_prefix, metrics, created_at, verified_at, activated_at,
  previous_version, vector_table, vector_index, video_count, user_count, users_as_of
from public.model_releases
where %(model_version)s::text is null or model_version = %(model_version)s
order by model_version desc;
