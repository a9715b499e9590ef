-- Purpose: how many users and lists each arm of an experiment has had. Parameter: name (text).
select s.arm, count(distinct s.user_id) as users, count(*) as lists
from public.served_lists as s
where s.experiment = %(name)s
group by s.arm;
