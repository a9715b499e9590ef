-- Purpose: whether this is a Supabase database, whose own roles and schema auth must not be touched.
select exists (select from pg_catalog.pg_roles where rolname in ('supabase_admin', 'supabase_auth_admin'));
