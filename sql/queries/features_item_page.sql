-- Purpose: one page of item payloads, inactive videos included, as text. Parameters: page, after (null: from the start).
select b.video_id::text, b.payload::text
from public.get_item_embedding_feature_batch(
  p_limit => %(page)s::int,
  p_after => %(after)s::uuid,
  p_include_inactive => true
) as b
