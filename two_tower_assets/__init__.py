"""A two-tower recommender on Supabase as Dagster assets; see README.md for the map of the rooms."""
