-- Purpose: versions that running experiments serve beside the live one, oldest first, and whom each may be shown to:
-- the experiments with their slices of the traffic, as text.
select
  r.model_version,
  string_agg(distinct e.name || ' ' || e.traffic::text, ', ' order by e.name || ' ' || e.traffic::text) as audience
from public.experiment_arms as a
join public.experiments as e on e.name = a.experiment
join public.model_releases as r using (model_version)
where e.state = 'running' and r.state in ('verified', 'retired') and r.vector_table is not null
group by r.model_version
order by r.model_version;
