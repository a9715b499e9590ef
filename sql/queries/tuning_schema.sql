-- Purpose: the schema in which studies of the settings are kept; Optuna makes its tables there.
create schema if not exists two_tower_tuning
