-- Purpose: raise what a release's vectors lack. Parameter: model_version (text).
select two_tower.require_complete(r)
from public.model_releases as r
where r.model_version = %(model_version)s;
