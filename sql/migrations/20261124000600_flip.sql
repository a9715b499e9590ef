-- Purpose: preparing a version's vectors beside the live ones, and making a version live, or live again, in one
-- transaction. Only the database's owner may call these: whoever flips a release has a Postgres connection.
set search_path = extensions, public;

create function two_tower.create_video_embeddings(p_model_version text) returns text
  language plpgsql
  security invoker
  set search_path = ''
as $$
declare
  v_release public.model_releases;
  v_table text;
begin
  select r.* into v_release
  from public.model_releases as r
  where r.model_version = p_model_version
  for update;

  if v_release.state is null then
    raise exception 'There is no release %', p_model_version
      using errcode = 'no_data_found', hint = 'Insert it into public.model_releases first.';
  end if;
  if v_release.state not in ('staged', 'failed') and v_release.vector_table is not null then
    raise exception 'Release % is %: its vectors are not made anew', p_model_version, v_release.state
      using errcode = 'object_not_in_prerequisite_state',
        hint = 'Activate it as it is, or prepare a new version.';
  end if;

  perform two_tower.drop_embedding_tables(p_model_version);
  v_table := two_tower.make_embedding_tables(p_model_version);
  update public.model_releases as r
  set vector_table = v_table, state = 'staged'
  where r.model_version = p_model_version;
  return v_table;
end
$$;

comment on function two_tower.create_video_embeddings(text) is
  'Make the empty, unindexed vector table of a release and return its qualified name. Anew, while it is staged or failed.';

create function two_tower.index_video_embeddings(p_model_version text, p_m int, p_ef_construction int) returns void
  language plpgsql
  security invoker
  set search_path = extensions, public, pg_temp
as $$
declare
  v_name text := 'video_embeddings_' || two_tower.version_suffix(p_model_version);
begin
  execute format('alter table two_tower.%I add primary key (video_id)', v_name);
  -- Cosine, not inner product: pgvector stores normalised copies in a cosine index and walks it by inner product
  -- all the same, and a vector that is not of unit length is ranked rightly.
  execute format(
    'create index %I on two_tower.%I using hnsw (embedding vector_cosine_ops) with (m = %s, ef_construction = %s)',
    v_name || '_hnsw', v_name, p_m, p_ef_construction
  );
  execute format('analyze two_tower.%I', v_name);
end
$$;

comment on function two_tower.index_video_embeddings(text, int, int) is
  'Add the primary key and the HNSW index to a filled vector table. Set maintenance_work_mem in the session first.';

-- Whether a version's vectors are whole: keyed, indexed, and as many as were promised. Raises what is lacking.
create function two_tower.require_complete(p_release public.model_releases) returns void
  language plpgsql
  security invoker
  set search_path = ''
as $$
declare
  v_rows bigint;
begin
  if p_release.vector_table is null then
    raise exception 'The vectors of release % are gone', p_release.model_version
      using errcode = 'object_not_in_prerequisite_state', hint = 'Publish the version again.';
  end if;
  if not exists (
    select
    from pg_catalog.pg_index as i
    join pg_catalog.pg_class as c on c.oid = i.indexrelid
    join pg_catalog.pg_am as a on a.oid = c.relam
    where i.indrelid = p_release.vector_table::regclass
      and i.indisvalid
    having pg_catalog.bool_or(a.amname = 'hnsw') and pg_catalog.bool_or(i.indisprimary)
  ) then
    raise exception 'The vectors of release % are not indexed', p_release.model_version
      using errcode = 'object_not_in_prerequisite_state', hint = 'Call two_tower.index_video_embeddings.';
  end if;
  execute 'select count(*) from ' || p_release.vector_table into v_rows;
  -- A live version may have gained vectors of newer videos; it must never have lost any.
  if p_release.video_count is null or v_rows < p_release.video_count then
    raise exception 'Release % has % video vectors and promised %',
      p_release.model_version, v_rows, coalesce(p_release.video_count::text, 'nothing')
      using errcode = 'object_not_in_prerequisite_state', hint = 'Publish the version again.';
  end if;
end
$$;

-- Replacing a view waits for whoever reads it, and makes later readers wait in turn: rather give up soon.
create function two_tower.activate_release(
  p_model_version text,
  p_expected_live text,
  p_action text default 'release',
  p_note text default null
) returns public.live_release
  language plpgsql
  security invoker
  set search_path = ''
  set lock_timeout = '10s'
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

  perform two_tower.show_version(p_model_version);
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
  return v_live;
end
$$;

comment on function two_tower.activate_release(text, text, text, text) is
  'Make a verified or retired release live if p_expected_live (null: none) still is; already live: nothing happens.';

create function two_tower.drop_release_vectors(p_model_version text) returns void
  language plpgsql
  security invoker
  set search_path = ''
  set lock_timeout = '10s'
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
  update public.model_releases as r set vector_table = null where r.model_version = p_model_version;
end
$$;

comment on function two_tower.drop_release_vectors(text) is
  'Drop the user and video vectors of a release that is not live. It cannot go live again without being published anew.';

revoke all on function two_tower.create_video_embeddings(text) from public, anon, authenticated, service_role;
revoke all on function two_tower.index_video_embeddings(text, int, int)
  from public, anon, authenticated, service_role;
revoke all on function two_tower.require_complete(public.model_releases)
  from public, anon, authenticated, service_role;
revoke all on function two_tower.activate_release(text, text, text, text)
  from public, anon, authenticated, service_role;
revoke all on function two_tower.drop_release_vectors(text) from public, anon, authenticated, service_role;

select two_tower.drop_overloads('get_live_release');

create function public.get_live_release()
  returns table (model_version text, manifest_hash text, artifact_prefix text, activated_at timestamptz)
  language sql stable
  security invoker
  set search_path = ''
as $$
  select l.model_version, r.manifest_hash, r.artifact_prefix, l.activated_at
  from public.live_release as l
  join public.model_releases as r using (model_version)
$$;

comment on function public.get_live_release() is 'The live release: one row, or none before the first release.';

revoke all on function public.get_live_release() from public, anon, authenticated, service_role;
grant execute on function public.get_live_release() to service_role;

reset search_path;
