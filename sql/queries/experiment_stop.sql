-- Purpose: a running experiment ends now; the next call that is made for it is refused. Parameter: name (text).
update public.experiments set state = 'stopped', stopped_at = now() where name = %(name)s;
