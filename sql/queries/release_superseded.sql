-- Purpose: versions whose vectors need not be kept: all but the live one and the newest others. What was replaced
-- last always counts among the newest, since its readers may still be at it.
-- Parameter: others (int), how many versions beside the live one stay.
select r.model_version
from public.model_releases as r
where r.vector_table is not null
  and r.state <> 'live'
order by
  r.model_version = (
    select l.from_version from public.release_log as l order by l.id desc limit 1
  ) desc nulls last,
  coalesce(r.activated_at, r.verified_at, r.created_at) desc
offset %(others)s;
