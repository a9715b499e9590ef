-- Purpose: say what was staged. Parameters: model_version, manifest_hash, artifact_prefix (text), video_count (int).
update public.model_releases
set manifest_hash = %(manifest_hash)s, artifact_prefix = %(artifact_prefix)s, video_count = %(video_count)s
where model_version = %(model_version)s;
