-- Purpose: put a version into the registry, or make one whose vectors are gone or unfinished ready to be staged
-- again. Nothing of a live release changes here. Parameter: model_version (text).
insert into public.model_releases as r (model_version)
values (%(model_version)s)
on conflict (model_version) do update
set state = 'staged', manifest_hash = null, video_count = null, verified_at = null, metrics = '{}'
where r.state <> 'live';
