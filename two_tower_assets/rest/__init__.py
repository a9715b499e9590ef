"""Asking a Supabase project's REST API: what is asked again, and what its refusals mean. No request lives here."""
