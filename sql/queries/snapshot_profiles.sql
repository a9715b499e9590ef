-- Purpose: every profile as one JSON object a row; times are microseconds since the Unix epoch.
select pg_catalog.json_build_object(
  'user_id', p.user_id,
  'created_at', case when pg_catalog.isfinite(p.created_at)
    then (extract(epoch from p.created_at) * 1000000)::bigint end
)
from public.profiles as p
