"""Everything that knows Dagster: assets, checks, jobs, resources."""
