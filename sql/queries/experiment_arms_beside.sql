-- Purpose: versions that running experiments serve beside the live one, oldest first.
select distinct r.model_version
from public.experiment_arms as a
join public.experiments as e on e.name = a.experiment
join public.model_releases as r using (model_version)
where e.state = 'running' and r.state in ('verified', 'retired') and r.vector_table is not null
order by r.model_version;
