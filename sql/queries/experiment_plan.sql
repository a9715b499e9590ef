-- Purpose: what was agreed before an experiment began. Parameter: experiment (text).
select
  e.kind, e.state, e.primary_metric, e.guardrails, e.attribution_hours, e.before_days, e.planned_users, e.started_at,
  e.stopped_at,
  array(select a.arm from public.experiment_arms as a where a.experiment = e.name order by a.place),
  array(select a.weight from public.experiment_arms as a where a.experiment = e.name order by a.place)
from public.experiments as e
where e.name = %(experiment)s;
