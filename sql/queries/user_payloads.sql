-- Purpose: the payloads of some users at a moment, by id, as text. Parameters: users (uuid[]), as_of (timestamptz).
select p.user_id::text, p.payload::text
from two_tower.user_payloads(%(users)s::uuid[], %(as_of)s::timestamptz) as p
order by p.user_id;
