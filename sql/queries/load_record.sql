-- Purpose: record a load. Parameters: source, content_hash, row_counts.
insert into two_tower.loads (source, content_hash, row_counts)
values (%(source)s, %(content_hash)s, %(row_counts)s)
