-- Purpose: the live version, held until the transaction ends: a flip waits for it, readers do not.
select l.model_version from public.live_release as l for share;
