-- Purpose: the ranges that a sync was reading when it ended. Parameter: name.
select r.source, r.lower_id, r.upper_id, r.since, r.after_key, r.is_read, r.staged_rows
from two_tower.sync_ranges as r
where r.name = %(name)s
order by r.place
