-- Purpose: a draft runs from now on. Parameters: name (text), from, until (numeric): its users.
update public.experiments
set state = 'running', started_at = now(), traffic = numrange(%(from)s, %(until)s)
where name = %(name)s;
