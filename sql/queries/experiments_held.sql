-- Purpose: nobody else starts, ramps or stops an experiment until this transaction ends; readers go on.
lock table public.experiments in share row exclusive mode;
