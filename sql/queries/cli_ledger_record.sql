-- Purpose: tell the Supabase CLI that a migration has run. Parameters: version, name, statements (text[]).
insert into supabase_migrations.schema_migrations (version, name, statements)
values (%(version)s, %(name)s, %(statements)s)
on conflict (version) do nothing;
