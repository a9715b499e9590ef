-- Purpose: experiments with their arms by place, newest first. Parameter: name (text), or null for all.
select
  e.name, e.kind, e.salt, lower(e.traffic) as traffic_from, upper(e.traffic) as traffic_until, e.primary_metric,
  e.guardrails, e.attribution_hours, e.before_days, e.planned_users, e.state, e.promoted_arm, e.created_at,
  e.created_by, e.started_at, e.stopped_at,
  (
    select json_agg(
      json_build_object('name', a.arm, 'weight', a.weight, 'model_version', a.model_version, 'ranking', a.ranking)
      order by a.place
    )
    from public.experiment_arms as a
    where a.experiment = e.name
  ) as arms
from public.experiments as e
where %(name)s::text is null or e.name = %(name)s
order by e.created_at desc, e.name;
