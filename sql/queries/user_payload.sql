-- Purpose: the feature payload of one user as the functions see it.
select public.get_user_embedding_features(user_id => %(user_id)s::uuid, as_of => %(as_of)s)
