-- Purpose: one page of user payloads at a moment, as text. Parameters: page, after (null: from the start), as_of.
select b.user_id::text, b.payload::text
from public.get_user_embedding_feature_batch(
  p_limit => %(page)s::int,
  p_after => %(after)s::uuid,
  as_of => %(as_of)s::timestamptz
) as b
