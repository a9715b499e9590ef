-- Purpose: how many users entered each arm of an experiment on each day (UTC), how many lists and places they were
-- shown, and how many lists an interleaving began with the arm's pick. Each list is read once.
-- Parameters: experiment (text), until (timestamptz).
with listed as materialized (
  select
    l.user_id, l.arm, l.served_at, l.list_id, cardinality(l.video_ids) as places,
    (l.first_position = 0 and l.teams[1] = 'control')::int as control_began,
    (l.first_position = 0 and l.teams[1] = 'arm')::int as arm_began
  from public.served_lists as l
  where l.experiment = %(experiment)s and l.served_at <= %(until)s::timestamptz
),
firsts as (
  select distinct on (l.user_id) l.user_id, l.arm, l.served_at
  from listed as l
  order by l.user_id, l.served_at, l.list_id
),
counted as (
  select f.arm, f.served_at, 1 as users, 0 as lists, 0 as places, 0 as control_began, 0 as arm_began
  from firsts as f
  union all
  select l.arm, l.served_at, 0, 1, l.places, coalesce(l.control_began, 0), coalesce(l.arm_began, 0)
  from listed as l
)
select
  c.arm, (c.served_at at time zone 'UTC')::date as day, sum(c.users)::bigint, sum(c.lists)::bigint,
  sum(c.places)::bigint, sum(c.control_began)::bigint, sum(c.arm_began)::bigint
from counted as c
group by 1, 2
order by 1, 2;
