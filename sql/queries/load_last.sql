-- Purpose: the last load into this database: its source and the hash of its content.
select l.source, l.content_hash
from two_tower.loads as l
order by l.id desc
limit 1
