-- Purpose: of the users whose window ended after a moment and not after another: what they decided, those alike in
-- one row. A user's window begins with the first list of the experiment that they were served, and lasts the
-- experiment's attribution. A decision is attributed where a list of that window had shown the video by then; clocks
-- may disagree by the tolerance. Reads from served_lists what is younger than `after` less a window, and each such
-- user's own rows by index; so consecutive moments together read no user twice.
-- Parameters: experiment (text), after (timestamptz), until (timestamptz), attribution (interval), before (interval),
-- tolerance (interval).
with firsts as materialized (
  select distinct on (l.user_id) l.user_id, l.arm, l.served_at as entered_at
  from public.served_lists as l
  where l.experiment = %(experiment)s
    and l.served_at > %(after)s::timestamptz - %(attribution)s::interval
    and l.served_at <= %(until)s::timestamptz - %(attribution)s::interval
  order by l.user_id, l.served_at, l.list_id
),
entered as materialized (
  select f.user_id, f.arm, f.entered_at, f.entered_at + %(attribution)s::interval as over_at
  from firsts as f
  where not exists (
    select
    from public.served_lists as l
    where l.user_id = f.user_id and l.served_at < f.entered_at and l.experiment = %(experiment)s
  )
),
served as materialized (
  select e.user_id, e.arm as own_arm, l.served_at, l.experiment, l.arm, l.video_ids
  from entered as e
  join public.served_lists as l
    on l.user_id = e.user_id and l.served_at >= e.entered_at and l.served_at < e.over_at
  where l.experiment is not null
),
mixed as (
  select
    s.user_id,
    coalesce(bool_or(s.arm <> s.own_arm) filter (where s.experiment = %(experiment)s), false) as switched,
    bool_or(s.experiment <> %(experiment)s) as overlapping
  from served as s
  group by s.user_id
),
shown as materialized (
  select s.user_id, v.video_id, min(s.served_at) as first_at
  from served as s cross join unnest(s.video_ids) as v (video_id)
  where s.experiment = %(experiment)s
  group by s.user_id, v.video_id
),
decided as (
  select
    e.user_id,
    count(*) filter (where d.created_at >= s.first_at - %(tolerance)s::interval) as decisions,
    count(*) filter (
      where d.created_at >= s.first_at - %(tolerance)s::interval and two_tower.is_like(d.decision_type)
    ) as likes,
    count(*) filter (
      where d.created_at >= s.first_at - %(tolerance)s::interval and d.created_at < s.first_at
    ) as early,
    count(*) filter (
      where d.created_at >= e.entered_at
        and (s.video_id is null or d.created_at < s.first_at - %(tolerance)s::interval)
    ) as unexposed
  from entered as e
  join public.user_video_decisions as d
    on d.user_id = e.user_id and d.created_at >= e.entered_at - %(tolerance)s::interval and d.created_at < e.over_at
  left join shown as s on s.user_id = d.user_id and s.video_id = d.video_id
  group by e.user_id
),
earlier as (
  select
    e.user_id,
    count(*) as decisions,
    count(*) filter (where two_tower.is_like(d.decision_type)) as likes
  from entered as e
  join public.user_video_decisions as d
    on d.user_id = e.user_id
    and d.created_at >= e.entered_at - %(before)s::interval
    and d.created_at < e.entered_at - %(tolerance)s::interval
  group by e.user_id
),
each_user as (
  select
    e.arm,
    (e.over_at at time zone 'UTC')::date as day,
    m.switched,
    m.overlapping,
    coalesce(d.likes, 0) as likes,
    coalesce(d.decisions, 0) as decisions,
    coalesce(b.likes, 0) as likes_before,
    coalesce(b.decisions, 0) as decisions_before,
    coalesce(d.early, 0) as early,
    coalesce(d.unexposed, 0) as unexposed
  from entered as e
  join mixed as m on m.user_id = e.user_id
  left join decided as d on d.user_id = e.user_id
  left join earlier as b on b.user_id = e.user_id
)
select
  u.arm, u.day, u.switched, u.overlapping, u.likes, u.decisions, u.likes_before, u.decisions_before,
  count(*) as users, sum(u.early)::bigint as early, sum(u.unexposed)::bigint as unexposed
from each_user as u
group by u.arm, u.day, u.switched, u.overlapping, u.likes, u.decisions, u.likes_before, u.decisions_before
order by 1, 2, 3, 4, 5, 6, 7, 8;
