-- Purpose: how far the index build of another session is. Parameter: pid (int).
select p.tuples_done
from pg_catalog.pg_stat_progress_create_index as p
where p.pid = %(pid)s
  and p.index_relid <> 0;
