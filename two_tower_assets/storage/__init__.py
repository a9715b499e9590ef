"""Buckets of files: one interface over Supabase Storage, a local folder and S3, and moving files there safely."""
