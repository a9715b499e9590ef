-- Purpose: a draft of an experiment. Parameters: name, kind, salt, primary_metric (text), guardrails (text[]),
-- attribution_hours, before_days (int), planned_users (bigint). Whoever has the name already keeps it: then no row.
insert into public.experiments (
  name, kind, salt, primary_metric, guardrails, attribution_hours, before_days, planned_users
)
values (
  %(name)s, %(kind)s, %(salt)s, %(primary_metric)s, %(guardrails)s, %(attribution_hours)s, %(before_days)s,
  %(planned_users)s
)
on conflict (name) do nothing
returning name;
