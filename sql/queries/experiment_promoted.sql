-- Purpose: which arm was taken. Parameters: name, arm (text).
update public.experiments set promoted_arm = %(arm)s where name = %(name)s;
