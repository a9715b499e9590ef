-- Purpose: who holds an advisory lock. Parameter: key (bigint).
select a.pid, a.usename, a.application_name, a.client_addr::text, a.backend_start
from pg_catalog.pg_locks as l
join pg_catalog.pg_stat_activity as a on a.pid = l.pid
where l.locktype = 'advisory'
  and l.granted
  and l.database = (select oid from pg_catalog.pg_database where datname = current_database())
  and (l.classid::bigint << 32 | l.objid::bigint) = %(key)s
  and l.objsubid = 1;
