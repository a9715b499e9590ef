"""The REST API of a Supabase project, asked with patience. What is asked belongs to each stage's own code."""
