"""Rows of a Supabase project brought into the pipeline's own Postgres: what is new, what changed, what is gone."""
