-- Purpose: find pgvector's type and operators by their plain names, as sessions on Supabase do.
-- Schema extensions is only added to a search_path that nobody chose, and counts from the next session on.

do $$
begin
  if not exists (
    select from pg_catalog.pg_db_role_setting as s
    where s.setrole = 0
      and s.setdatabase = (select oid from pg_catalog.pg_database where datname = current_database())
      and array_to_string(s.setconfig, ',') like '%search_path=%'
  ) then
    execute format(
      'alter database %I set search_path = "$user", public, extensions', current_database()
    );
  end if;
end
$$;
