-- Purpose: the live release, or no row before the first.
select l.model_version, r.manifest_hash, l.activated_at, l.activated_by
from public.live_release as l
join public.model_releases as r using (model_version);
