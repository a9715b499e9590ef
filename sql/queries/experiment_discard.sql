-- Purpose: a draft goes, with its arms. Parameter: name (text).
delete from public.experiments where name = %(name)s and state = 'draft';
