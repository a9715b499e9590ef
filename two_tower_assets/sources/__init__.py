"""Rows from a sample, a folder or a Postgres, loaded into the pipeline's own Postgres and frozen as snapshots."""
