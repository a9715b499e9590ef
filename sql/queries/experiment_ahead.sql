-- Purpose: how many lists of an experiment are said to have been served in the future: a clock is wrong.
-- Parameter: experiment (text).
select count(*) from public.served_lists as l where l.experiment = %(experiment)s and l.served_at > now();
