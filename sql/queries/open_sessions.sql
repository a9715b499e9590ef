-- Purpose: how many other sessions use the server, so that nobody's Postgres is stopped under them.
select count(*)
from pg_catalog.pg_stat_activity
where backend_type = 'client backend' and pid <> pg_catalog.pg_backend_pid();
