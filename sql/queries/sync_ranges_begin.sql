-- Purpose: note a range that is going to be read. Parameters: name, place, source, lower, upper, since.
insert into two_tower.sync_ranges (name, place, source, lower_id, upper_id, since)
values (%(name)s, %(place)s, %(source)s, %(lower)s, %(upper)s, %(since)s)
