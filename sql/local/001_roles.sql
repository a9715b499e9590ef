-- Purpose: the roles that Supabase brings, for a plain Postgres.
-- Roles belong to the whole cluster, so another database's migrator may be making them at this very moment.

do $$
declare
  v_role record;
begin
  for v_role in
    select * from (values
      ('anon', 'nologin noinherit'),
      ('authenticated', 'nologin noinherit'),
      ('service_role', 'nologin noinherit bypassrls'),
      ('authenticator', 'login noinherit')
    ) as wanted (name, options)
    where not exists (select from pg_catalog.pg_roles where rolname = wanted.name)
  loop
    begin
      execute pg_catalog.format('create role %I %s', v_role.name, v_role.options);
    exception
      when duplicate_object or unique_violation then null;
    end;
  end loop;

  for v_role in
    select rolname as name
    from pg_catalog.pg_roles
    where rolname in ('anon', 'authenticated', 'service_role')
      and not pg_catalog.pg_has_role('authenticator', oid, 'member')
  loop
    begin
      execute pg_catalog.format('grant %I to authenticator', v_role.name);
    exception
      when duplicate_object or unique_violation then null;
    end;
  end loop;
end
$$;
