-- Purpose: an arm of a draft. Parameters: experiment, arm (text), place (int), weight (float8), model_version (text or
-- null for whatever is live), ranking (jsonb).
insert into public.experiment_arms (experiment, arm, place, weight, model_version, ranking)
values (%(experiment)s, %(arm)s, %(place)s, %(weight)s, %(model_version)s, %(ranking)s);
