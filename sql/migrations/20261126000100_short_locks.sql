-- Purpose: nobody waits for a publisher. Preparing, flipping and dropping take locks that readers and writers of the
-- live vectors don't meet, or give up within 40 ms and are tried again by the caller.
set search_path = extensions, public;

alter table public.model_releases
  add column user_count int check (user_count >= 0),
  add column users_as_of timestamptz;

comment on column public.model_releases.user_count is
  'How many user vectors were prepared before the version went live; null: none were.';
comment on column public.model_releases.users_as_of is 'The moment that the prepared user vectors speak for.';

-- The tables of one version: video vectors without key and index, for a fast COPY, and an empty table of users.
-- `create table … partition of` would lock the parent against every insert into the live version's users until the
-- transaction ends; attaching does not.
create or replace function two_tower.make_embedding_tables(p_model_version text) returns text
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
    'create table two_tower.%1$I (
       like two_tower.user_embedding_versions including defaults including constraints including indexes,
       unique (user_id)
     )', v_users
  );
  execute format('alter table two_tower.%I alter model_version set default %L', v_users, p_model_version);
  execute format(
    'alter table two_tower.user_embedding_versions attach partition two_tower.%I for values in (%L)',
    v_users, p_model_version
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

-- As before, but the views are replaced last, so that readers meet their lock for the shortest time, and waiting for
-- a long reader ends after 40 ms: those who come after it wait no longer than that.
create or replace function two_tower.activate_release(
  p_model_version text,
  p_expected_live text,
  p_action text default 'release',
  p_note text default null
) returns public.live_release
  language plpgsql
  security invoker
  set search_path = ''
  set lock_timeout = '40ms'
as $$
declare
  v_live public.live_release;
  v_release public.model_releases;
begin
  -- One flip at a time; readers are not kept waiting.
  lock table public.live_release in share row exclusive mode;
  select l.* into v_live from public.live_release as l;
  if v_live.model_version is distinct from p_expected_live then
    raise exception 'The live release is %, not %',
      coalesce(v_live.model_version, 'none'), coalesce(p_expected_live, 'none')
      using errcode = 'serialization_failure', hint = 'Somebody else released meanwhile. Look, then decide again.';
  end if;
  if v_live.model_version = p_model_version then
    return v_live;
  end if;

  select r.* into v_release from public.model_releases as r where r.model_version = p_model_version for update;
  if v_release.state is null then
    raise exception 'There is no release %', p_model_version using errcode = 'no_data_found';
  end if;
  if v_release.state not in ('verified', 'retired') then
    raise exception 'Release % is %, neither verified nor retired', p_model_version, v_release.state
      using errcode = 'object_not_in_prerequisite_state', hint = 'Verify it first.';
  end if;
  perform two_tower.require_complete(v_release);

  update public.model_releases as r set state = 'retired' where r.model_version = v_live.model_version;
  update public.model_releases as r
  set state = 'live', activated_at = pg_catalog.now(), previous_version = v_live.model_version
  where r.model_version = p_model_version;
  insert into public.live_release as l (model_version) values (p_model_version)
  on conflict (singleton) do update
  set model_version = excluded.model_version, activated_at = excluded.activated_at, activated_by = excluded.activated_by
  returning l.* into v_live;
  insert into public.release_log (from_version, to_version, action, note)
  values (p_expected_live, p_model_version, p_action, p_note);
  perform two_tower.show_version(p_model_version);
  return v_live;
end
$$;

create or replace function two_tower.drop_release_vectors(p_model_version text) returns void
  language plpgsql
  security invoker
  set search_path = ''
  set lock_timeout = '40ms'
as $$
declare
  v_state text;
begin
  select r.state into v_state
  from public.model_releases as r
  where r.model_version = p_model_version
  for update;

  if v_state is null then
    raise exception 'There is no release %', p_model_version using errcode = 'no_data_found';
  end if;
  if v_state = 'live' then
    raise exception 'Release % is live: its vectors stay', p_model_version
      using errcode = 'object_not_in_prerequisite_state', hint = 'Release another version first.';
  end if;
  perform two_tower.drop_embedding_tables(p_model_version);
  update public.model_releases as r
  set vector_table = null, user_count = null, users_as_of = null
  where r.model_version = p_model_version;
end
$$;

reset search_path;
