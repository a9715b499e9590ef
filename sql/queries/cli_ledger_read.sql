-- Purpose: versions that the Supabase CLI has pushed, of this project and of any other.
select version from supabase_migrations.schema_migrations;
