-- Purpose: the payload of each of many (user, moment) pairs, in their order, one RPC call each.
-- Parameters: users, moments (arrays of one length).
select public.get_user_embedding_features(a.user_id, a.moment)
from unnest(%(users)s::uuid[], %(moments)s::timestamptz[]) with ordinality as a (user_id, moment, place)
order by a.place
