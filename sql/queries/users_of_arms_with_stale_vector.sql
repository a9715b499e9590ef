-- Purpose: as users_with_stale_vector, but only users whom a running experiment serves with the version. Interleaved
-- lists are of both arms. Parameters: model_version (text), since, until (timestamptz), most (int, null: all).
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
and exists (
  select
  from public.experiment_arms as a
  join public.experiments as e on e.name = a.experiment
  where e.state = 'running'
    and a.model_version = %(model_version)s
    and two_tower.experiment_arm(e.name, latest.user_id) in (a.arm, 'interleaved')
)
order by latest.user_id
limit %(most)s::bigint;
