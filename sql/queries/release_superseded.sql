-- Purpose: versions whose vectors need not be kept: all but the live one and the newest others. What was replaced
-- last always counts among the newest, since its readers may still be at it. What an experiment serves, or a draft is
-- about to, stays beside them.
-- Parameter: others (int), how many versions beside the live one stay.
select r.model_version
from public.model_releases as r
where r.vector_table is not null
  and r.state <> 'live'
  and not exists (
    select
    from public.experiment_arms as a
    join public.experiments as e on e.name = a.experiment
    where a.model_version = r.model_version and e.state <> 'stopped'
  )
order by
  r.model_version = (
    select l.from_version from public.release_log as l order by l.id desc limit 1
  ) desc nulls last,
  coalesce(r.activated_at, r.verified_at, r.created_at) desc
offset %(others)s;
