-- Purpose: keep the evidence for a release; one that was live before keeps its state.
-- Parameters: model_version (text), metrics (jsonb).
update public.model_releases
set
  metrics = %(metrics)s,
  verified_at = now(),
  state = case when state in ('staged', 'failed') then 'verified' else state end
where model_version = %(model_version)s;
