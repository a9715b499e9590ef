-- Purpose: schema auth with the parts of Supabase's that policies and functions use, for a plain Postgres.
-- Each object is made only where it is absent. Claims come from request.jwt.claims, as PostgREST sets it.

create schema if not exists auth;
create schema if not exists extensions;

grant usage on schema auth, extensions, public to anon, authenticated, service_role;

create table if not exists auth.users (
  id uuid primary key default gen_random_uuid(),
  email text,
  created_at timestamptz not null default now()
);

do $$
begin
  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb
      language sql stable
      set search_path = ''
    as $function$
      select coalesce(nullif(current_setting('request.jwt.claims', true), ''), '{}')::jsonb
    $function$;
  end if;

  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid
      language sql stable
      set search_path = ''
    as $function$
      select nullif(auth.jwt() ->> 'sub', '')::uuid
    $function$;
  end if;

  if to_regprocedure('auth.role()') is null then
    create function auth.role() returns text
      language sql stable
      set search_path = ''
    as $function$
      select nullif(auth.jwt() ->> 'role', '')
    $function$;
  end if;
end
$$;

grant execute on function auth.jwt(), auth.uid(), auth.role() to anon, authenticated, service_role;
