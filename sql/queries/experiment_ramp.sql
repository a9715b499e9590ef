-- Purpose: more users for a running experiment. Parameters: name (text), until (numeric).
update public.experiments
set traffic = numrange(lower(traffic), %(until)s)
where name = %(name)s;
