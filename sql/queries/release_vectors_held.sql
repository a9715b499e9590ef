-- Purpose: a version's vectors, held until the transaction ends: dropping them waits for it, readers and flips do not.
-- Parameter: model_version (text). No row where they are gone.
select r.vector_table
from public.model_releases as r
where r.model_version = %(model_version)s and r.vector_table is not null
for key share;
