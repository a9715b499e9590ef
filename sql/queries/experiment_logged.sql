-- Purpose: what was done with an experiment, and the traffic after it. Parameters: name, action, note (text).
insert into public.experiment_log (experiment, action, traffic, note)
values (
  %(name)s, %(action)s, (select e.traffic from public.experiments as e where e.name = %(name)s), %(note)s
);
