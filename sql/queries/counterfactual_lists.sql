-- Purpose: the newest lists that another ranking can be weighed by: first pages of one ranking, whose window is over and
-- whose candidates were found by a vector, since their users had liked something. Beside each, a version's stored vector
-- of the user where it is what was or would have been searched with. Parameters: model_version (text),
-- until (timestamptz), attribution (interval), most (int).
select
  l.list_id::text, l.user_id::text, l.served_at, l.video_ids::text[], l.sources, l.propensities, e.embedding::text
from public.served_lists as l
left join two_tower.user_embedding_versions as e
  on e.model_version = %(model_version)s
  and e.user_id = l.user_id
  and e.updated_at <= l.served_at
  and not exists (
    select
    from public.user_video_decisions as d
    where d.user_id = l.user_id and d.created_at >= e.updated_at and d.created_at < l.served_at
  )
where l.served_at <= %(until)s::timestamptz - %(attribution)s::interval
  and l.first_position = 0
  and l.teams is null
  and cardinality(l.video_ids) > 0
  and exists (
    select
    from public.user_video_decisions as d
    where d.user_id = l.user_id and two_tower.is_like(d.decision_type) and d.created_at < l.served_at
  )
order by l.served_at desc, l.list_id
limit %(most)s;
