-- Purpose: of an interleaving's users whose window ended after a moment and not after another: how many LIKEs they
-- gave to the picks of each team, those alike in one row. A LIKE is credited to the team of the first list of the
-- window that showed the video; windows, clocks and cost as in experiment_users.
-- Parameters: experiment (text), after (timestamptz), until (timestamptz), attribution (interval),
-- tolerance (interval).
with firsts as materialized (
  select distinct on (l.user_id) l.user_id, l.served_at as entered_at
  from public.served_lists as l
  where l.experiment = %(experiment)s
    and l.served_at > %(after)s::timestamptz - %(attribution)s::interval
    and l.served_at <= %(until)s::timestamptz - %(attribution)s::interval
  order by l.user_id, l.served_at
),
entered as materialized (
  select f.user_id, f.entered_at, f.entered_at + %(attribution)s::interval as over_at
  from firsts as f
  where not exists (
    select
    from public.served_lists as l
    where l.user_id = f.user_id and l.served_at < f.entered_at and l.experiment = %(experiment)s
  )
),
served as materialized (
  select e.user_id, l.list_id, l.served_at, l.experiment, l.video_ids, l.teams
  from entered as e
  join public.served_lists as l
    on l.user_id = e.user_id and l.served_at >= e.entered_at and l.served_at < e.over_at
  where l.experiment is not null
),
mixed as (
  select s.user_id, bool_or(s.experiment <> %(experiment)s) as overlapping from served as s group by s.user_id
),
shown as materialized (
  select distinct on (s.user_id, v.video_id) s.user_id, v.video_id, v.team, s.served_at as first_at
  from served as s cross join unnest(s.video_ids, s.teams) as v (video_id, team)
  where s.experiment = %(experiment)s
  order by s.user_id, v.video_id, s.served_at, s.list_id
),
decided as (
  select
    e.user_id,
    count(*) filter (where s.team = 'control' and two_tower.is_like(d.decision_type)) as control,
    count(*) filter (where s.team = 'arm' and two_tower.is_like(d.decision_type)) as arm,
    count(*) filter (where d.created_at < s.first_at) as early,
    count(*) filter (where s.video_id is null and d.created_at >= e.entered_at) as unexposed
  from entered as e
  join public.user_video_decisions as d
    on d.user_id = e.user_id and d.created_at >= e.entered_at - %(tolerance)s::interval and d.created_at < e.over_at
  left join shown as s
    on s.user_id = d.user_id and s.video_id = d.video_id
    and d.created_at >= s.first_at - %(tolerance)s::interval
  group by e.user_id
),
each_user as (
  select
    (e.over_at at time zone 'UTC')::date as day,
    m.overlapping,
    coalesce(d.control, 0) as control,
    coalesce(d.arm, 0) as arm,
    coalesce(d.early, 0) as early,
    coalesce(d.unexposed, 0) as unexposed
  from entered as e
  join mixed as m on m.user_id = e.user_id
  left join decided as d on d.user_id = e.user_id
)
select
  u.day, u.overlapping, u.control, u.arm,
  count(*) as users, sum(u.early)::bigint as early, sum(u.unexposed)::bigint as unexposed
from each_user as u
group by u.day, u.overlapping, u.control, u.arm
order by 1, 2, 3, 4;
