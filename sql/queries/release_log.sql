-- Purpose: the flips to and from one version, oldest first. Parameter: model_version (text).
select l.at, l.action, l.from_version, l.to_version, l.by_whom, l.note
from public.release_log as l
where %(model_version)s in (l.from_version, l.to_version)
order by l.id;
