-- Purpose: the payloads of some videos, by id, as text. Parameter: videos (uuid[]).
select p.video_id::text, p.payload::text
from two_tower.item_payloads(%(videos)s::uuid[]) as p
order by p.video_id;
