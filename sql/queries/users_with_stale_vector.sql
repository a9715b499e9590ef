-- Purpose: users with a decision of a span of time that their vector of a version does not know, by id. Decisions
-- before the span are not read. Parameters: model_version (text), since, until (timestamptz), most (int, null: all).
select latest.user_id::text
from (
  select d.user_id, pg_catalog.max(d.created_at) as decided_at
  from public.user_video_decisions as d
  where d.created_at >= %(since)s::timestamptz and d.created_at < %(until)s::timestamptz
  group by d.user_id
) as latest
where not exists (
  select
  from two_tower.user_embedding_versions as e
  where e.model_version = %(model_version)s
    and e.user_id = latest.user_id
    and e.updated_at > latest.decided_at
)
order by latest.user_id
limit %(most)s::bigint;
