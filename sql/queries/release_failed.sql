-- Purpose: mark a release whose vectors did not pass their check. Parameter: model_version (text).
update public.model_releases
set state = 'failed'
where model_version = %(model_version)s
  and state in ('staged', 'verified');
