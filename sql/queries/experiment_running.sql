-- Purpose: the names of the experiments that run.
select e.name from public.experiments as e where e.state = 'running' order by e.name;
