-- Purpose: say which users' vectors were prepared. Parameters: model_version (text), user_count (int),
-- users_as_of (timestamptz).
update public.model_releases
set user_count = %(user_count)s, users_as_of = %(users_as_of)s
where model_version = %(model_version)s;
