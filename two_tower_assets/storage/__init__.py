"""Buckets of files: one interface over Supabase Storage, a local folder and S3-like URLs, and moving files there safely."""
