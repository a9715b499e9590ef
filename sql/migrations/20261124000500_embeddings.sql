-- Purpose: user and video vectors, one table a version, and the views that show the live version's.
-- A version's vectors are written where no reader looks; public.video_embeddings and public.user_embeddings are
-- automatically updatable views over the live version's tables, so that `insert … on conflict` through them
-- lands in the live version. Each table admits its own version only: vectors of two versions cannot meet in one.
--
-- The type vector is named plainly, because the extension may lie in either schema.
set search_path = extensions, public;

-- Vectors of the older shape have no version and often another dimension: nothing can be compared with them.
-- They are kept whole, beside.
create function two_tower.move_aside(p_name text) returns void
  language plpgsql
  security invoker
  set search_path = ''
as $$
declare
  v_kind "char" := (
    select c.relkind from pg_catalog.pg_class as c
    where c.relnamespace = 'public'::regnamespace and c.relname = p_name
  );
begin
  if v_kind in ('r', 'p') then
    execute pg_catalog.format('alter table public.%I rename to %I', p_name, 'legacy_' || p_name);
    execute pg_catalog.format('alter table public.%I set schema two_tower', 'legacy_' || p_name);
  elsif v_kind is not null then
    raise exception 'public.% is not a table, so it cannot be moved aside', p_name
      using hint = 'Rename it, then migrate again.';
  end if;
end
$$;

select two_tower.move_aside('video_embeddings');
select two_tower.move_aside('user_embeddings');

drop function two_tower.move_aside(text);

create table two_tower.user_embedding_versions (
  user_id uuid not null,
  embedding vector(256) not null check (vector_norm(embedding) > 0),
  model_version text not null,
  updated_at timestamptz not null default now(),
  primary key (model_version, user_id)
) partition by list (model_version);

comment on table two_tower.user_embedding_versions is
  'User vectors of every version, one partition a version; another version''s can be prepared beside the live one.';

create function two_tower.touch() returns trigger
  language plpgsql
  security invoker
  set search_path = ''
as $$
begin
  if new.updated_at is not distinct from old.updated_at then
    new.updated_at := pg_catalog.now();
  end if;
  return new;
end
$$;

comment on function two_tower.touch() is
  'Stamp a changed vector whose writer did not, since a vector older than the last decision counts as stale.';

-- The tables of one version: video vectors without key and index, for a fast COPY, and an empty user partition.
create function two_tower.make_embedding_tables(p_model_version text) returns text
  language plpgsql
  security invoker
  set search_path = extensions, public, pg_temp
as $$
declare
  v_videos text := 'video_embeddings_' || two_tower.version_suffix(p_model_version);
  v_users text := 'user_embeddings_' || two_tower.version_suffix(p_model_version);
begin
  execute format(
    'create table two_tower.%1$I (
       video_id uuid not null,
       embedding vector(256) not null,
       model_version text not null default %2$L,
       updated_at timestamptz not null default now(),
       check (model_version = %2$L),
       check (vector_norm(embedding) > 0)
     )', v_videos, p_model_version
  );
  execute format(
    'create trigger touch before update on two_tower.%I for each row execute function two_tower.touch()', v_videos
  );
  execute format('revoke all on two_tower.%I from public, anon, authenticated, service_role', v_videos);
  execute format('grant select, insert, update, delete on two_tower.%I to service_role', v_videos);
  execute format('grant select on two_tower.%I to authenticated', v_videos);

  execute format(
    'create table two_tower.%1$I partition of two_tower.user_embedding_versions (
       model_version default %2$L,
       unique (user_id)
     ) for values in (%2$L)', v_users, p_model_version
  );
  execute format(
    'create trigger touch before update on two_tower.%I for each row execute function two_tower.touch()', v_users
  );
  execute format('revoke all on two_tower.%I from public, anon, authenticated, service_role', v_users);
  execute format('grant select, insert, update, delete on two_tower.%I to service_role', v_users);
  execute format('grant select on two_tower.%I to authenticated', v_users);
  execute format('alter table two_tower.%I enable row level security', v_users);
  execute format(
    'create policy two_tower_own_read on two_tower.%I
       for select to authenticated using (user_id = (select auth.uid()))', v_users
  );
  return format('two_tower.%I', v_videos);
end
$$;

create function two_tower.drop_embedding_tables(p_model_version text) returns void
  language plpgsql
  security invoker
  set search_path = ''
  set client_min_messages = 'warning'
as $$
begin
  execute pg_catalog.format(
    'drop table if exists two_tower.%I, two_tower.%I',
    'video_embeddings_' || two_tower.version_suffix(p_model_version),
    'user_embeddings_' || two_tower.version_suffix(p_model_version)
  );
end
$$;

-- `security_invoker`: a caller sees through the view only what the tables below allow that caller, row-level
-- security included; without it the view's owner would be asked instead. `create or replace` keeps the view's
-- grants and its identity, so there is no moment without it.
create function two_tower.show_version(p_model_version text) returns void
  language plpgsql
  security invoker
  set search_path = ''
as $$
begin
  execute pg_catalog.format(
    'create or replace view public.video_embeddings with (security_invoker = true) as
       select video_id, embedding, model_version, updated_at from two_tower.%I',
    'video_embeddings_' || two_tower.version_suffix(p_model_version)
  );
  execute pg_catalog.format(
    'create or replace view public.user_embeddings with (security_invoker = true) as
       select user_id, embedding, model_version, updated_at from two_tower.%I',
    'user_embeddings_' || two_tower.version_suffix(p_model_version)
  );
end
$$;

-- Before the first release the views stand over tables of a version that is never live.
select two_tower.make_embedding_tables('unreleased');
alter table two_tower.video_embeddings_unreleased add primary key (video_id);
select two_tower.show_version('unreleased');

comment on view public.video_embeddings is 'The live version''s video vectors; upserts land in the live version.';
comment on view public.user_embeddings is 'The live version''s user vectors; upserts land in the live version.';

revoke all on two_tower.user_embedding_versions from public, anon, authenticated, service_role;
revoke all on public.video_embeddings, public.user_embeddings from public, anon, authenticated, service_role;
grant select, insert, update, delete on two_tower.user_embedding_versions to service_role;
grant select, insert, update, delete on public.video_embeddings, public.user_embeddings to service_role;
grant select on public.user_embeddings to authenticated;

revoke all on function two_tower.touch() from public, anon, authenticated, service_role;
revoke all on function two_tower.make_embedding_tables(text) from public, anon, authenticated, service_role;
revoke all on function two_tower.drop_embedding_tables(text) from public, anon, authenticated, service_role;
revoke all on function two_tower.show_version(text) from public, anon, authenticated, service_role;

reset search_path;
