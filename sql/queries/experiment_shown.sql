-- Purpose: what groups of equally many users of each arm were shown: how many of the active videos, and the
-- Herfindahl–Hirschman index of their makers (a video of unknown maker counts as of one of its own). Groups of one
-- size are comparable between arms of any size, and so many of them that their spread is known.
-- Parameters: experiment (text), until (timestamptz), group_size (bigint).
with listed as materialized (
  select l.user_id, l.arm, l.served_at, l.list_id, l.video_ids
  from public.served_lists as l
  where l.experiment = %(experiment)s and l.served_at <= %(until)s::timestamptz
),
firsts as (
  select distinct on (l.user_id) l.user_id, l.arm
  from listed as l
  order by l.user_id, l.served_at, l.list_id
),
numbered as (
  -- In an order that says nothing of who somebody is, when they came or which arm they are in.
  select
    f.user_id, f.arm,
    (row_number() over (partition by f.arm order by pg_catalog.md5(f.user_id::text)) - 1) / %(group_size)s as place,
    count(*) over (partition by f.arm) / %(group_size)s as whole_groups
  from firsts as f
),
shown as (
  select n.arm, n.place, v.video_id, count(*) as times
  from numbered as n
  join listed as l on l.user_id = n.user_id and l.arm = n.arm
  cross join unnest(l.video_ids) as v (video_id)
  where n.place < n.whole_groups
  group by n.arm, n.place, v.video_id
),
made as (
  select s.arm, s.place, count(*) filter (where x.is_active) as videos, sum(s.times) as times
  from shown as s
  left join public.videos as x on x.id = s.video_id
  group by s.arm, s.place, coalesce(nullif(x.maker, ''), s.video_id::text)
)
select
  m.arm, m.place, sum(m.videos)::bigint,
  (sum(m.times * m.times) / (sum(m.times) * sum(m.times)))::float8,
  greatest((select count(*) from public.videos as x where x.is_active), 1)
from made as m
group by m.arm, m.place
order by m.arm, m.place;
