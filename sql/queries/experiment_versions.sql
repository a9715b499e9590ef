-- Purpose: whether versions can be served. Parameter: versions (text[]).
select r.model_version, r.state, r.vector_table is not null as kept
from public.model_releases as r
where r.model_version = any (%(versions)s);
