"""`two-tower doctor`: the looks of `two_tower_assets.doctor` at this site, those that ask Dagster, and printing."""
