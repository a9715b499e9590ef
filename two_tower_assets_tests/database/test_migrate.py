"""The migrator: what it runs, records, refuses and shares with the Supabase CLI."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import LOCK_KEY, AppliedMigration, migrate, read_migrations
from two_tower_assets.database.queries import sql_folder
from two_tower_assets.errors import DatabaseError, MigrationError
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.database.rows import column, value

MIGRATIONS = read_migrations(sql_folder() / "migrations")
REPOSITORY = Path(__file__).parents[2]
SUPABASE = os.environ.get("TWO_TOWER_SUPABASE_CLI") or shutil.which("supabase")

STATE = """
select string_agg(line, e'\n' order by line) from (
  select format('%s %s %s %s', n.nspname, c.relname, c.relkind, c.relacl) as line
  from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where n.nspname in ('public', 'two_tower', 'auth', 'extensions', 'supabase_migrations')
  union all
  select format('%s %s %s', p.oid::regprocedure, p.proacl, md5(pg_get_functiondef(p.oid)))
  from pg_proc p
  where p.pronamespace in (select oid from pg_namespace where nspname in ('public', 'two_tower', 'auth'))
  union all
  select format('%s %s %s', polrelid::regclass, polname, pg_get_expr(polqual, polrelid)) from pg_policy
  union all
  select format('%s %s', nspname, nspacl) from pg_namespace where nspname !~ '^pg_'
) as state
"""


def _state(url: str) -> str:
    """Everything in the catalogues that a migration could have changed, as text."""
    with connect(url) as connection:
        return str(value(connection, STATE))


def _ledger(url: str) -> list[str]:
    with connect(url) as connection:
        return column(connection, "select version from two_tower.schema_migrations order by version")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two small migrations of a test's own."""
    _write(tmp_path, "20260101000000_first", "create table public.first (id int);")
    _write(tmp_path, "20260102000000_second", "create table public.second (id int);")
    return tmp_path


def _write(folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.sql").write_text(text, encoding="utf-8")


def test_every_file_runs_once(empty_database: str) -> None:
    """The first run applies all files in order, the second none, and nothing changes."""
    applied = migrate(empty_database)
    assert [migration.version for migration in applied] == [migration.version for migration in MIGRATIONS]
    assert not any(migration.adopted for migration in applied)
    state = _state(empty_database)
    assert migrate(empty_database) == ()
    assert _state(empty_database) == state


def test_dry_run_names_the_files_and_changes_nothing(empty_database: str) -> None:
    """On an empty database all files are pending, afterwards none; neither call writes."""
    before = _state(empty_database)
    pending = migrate(empty_database, dry_run=True)
    assert _state(empty_database) == before
    assert migrate(empty_database) == pending
    assert migrate(empty_database, dry_run=True) == ()


def test_new_file_is_run_and_recorded_with_its_checksum(empty_database: str, folder: Path) -> None:
    """Only what is new runs."""
    migrate(empty_database, folder=folder)
    _write(folder, "20260103000000_third", "create table public.third (id int);")
    assert migrate(empty_database, folder=folder) == (AppliedMigration("20260103000000", "third", adopted=False),)
    with connect(empty_database) as connection:
        checksums = column(connection, "select checksum from two_tower.schema_migrations order by version")
    assert checksums == [migration.checksum for migration in read_migrations(folder)]


@pytest.mark.parametrize("dry_run", [False, True])
def test_changed_file_is_refused_by_name(empty_database: str, folder: Path, *, dry_run: bool) -> None:
    """A file that differs from what ran stops everything, new files included."""
    migrate(empty_database, folder=folder)
    _write(folder, "20260101000000_first", "create table public.first (id bigint);")
    _write(folder, "20260103000000_third", "create table public.third (id int);")
    with pytest.raises(MigrationError, match=r"changed after it ran.*20260101000000_first\.sql"):
        migrate(empty_database, folder=folder, dry_run=dry_run)
    assert _ledger(empty_database) == ["20260101000000", "20260102000000"]


def test_newer_database_is_refused(empty_database: str, folder: Path) -> None:
    """A database that has run what this code does not know is named with those files."""
    migrate(empty_database, folder=folder)
    (folder / "20260102000000_second.sql").unlink()
    with pytest.raises(MigrationError, match=r"newer than this code.*20260102000000_second"):
        migrate(empty_database, folder=folder)


def test_failing_file_leaves_the_earlier_ones_and_nothing_of_itself(empty_database: str, folder: Path) -> None:
    """Each file is a transaction; the error names file, line and reason."""
    _write(folder, "20260103000000_third", "create table public.third (id int);\n\nselect 1 / 0;\n")
    with pytest.raises(MigrationError, match=r"division by zero.*20260103000000_third\.sql"):
        migrate(empty_database, folder=folder)
    _write(folder, "20260103000000_third", "create table public.third (id int);\n\nselect missing;\n")
    with pytest.raises(MigrationError, match=r"line 3: column .missing. does not exist"):
        migrate(empty_database, folder=folder)
    assert _ledger(empty_database) == ["20260101000000", "20260102000000"]
    with connect(empty_database) as connection:
        assert value(connection, "select to_regclass('public.third')") is None


def test_misnamed_and_twin_files_are_refused(folder: Path) -> None:
    """Names and versions are checked before anything runs."""
    _write(folder, "20260102000000_twin", "select 1;")
    with pytest.raises(MigrationError, match="share the version 20260102000000"):
        read_migrations(folder)
    _write(folder, "3_Third", "select 1;")
    with pytest.raises(MigrationError, match=r"misnamed.*3_Third\.sql"):
        read_migrations(folder)


def test_second_migrator_is_told_who_is_at_work(empty_database: str) -> None:
    """It waits, then names the holder's process and application."""
    with connect(empty_database, autocommit=True, application_name="somebody") as holder:
        holder.execute("select pg_advisory_lock(%s)", (LOCK_KEY,))
        with pytest.raises(MigrationError, match=rf"process {holder.info.backend_pid} \(somebody, user postgres"):
            migrate(empty_database, lock_wait=0.3)
        assert len(migrate(empty_database, dry_run=True)) == len(MIGRATIONS)
    assert len(migrate(empty_database)) == len(MIGRATIONS)


def test_migrators_at_the_same_time_apply_each_file_once(empty_database: str) -> None:
    """Of three that start together, each file is applied by exactly one."""
    applied: list[AppliedMigration] = []
    threads = [threading.Thread(target=lambda: applied.extend(migrate(empty_database))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(migration.version for migration in applied) == [migration.version for migration in MIGRATIONS]


def test_databases_of_one_cluster_can_be_migrated_at_the_same_time(cluster: EmbeddedPostgres) -> None:
    """Roles are shared by the cluster; making them twice at once is no error."""
    urls = [cluster.ensure_database(f"together_{number}") for number in range(2)]
    results: list[int] = []
    threads = [threading.Thread(target=lambda url=url: results.append(len(migrate(url)))) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [len(MIGRATIONS)] * 2


CLI_LEDGER = """
create schema supabase_migrations;
create table supabase_migrations.schema_migrations (version text primary key, statements text[], name text);
"""


def test_files_pushed_by_the_cli_are_adopted(empty_database: str, folder: Path) -> None:
    """What the Supabase CLI ran is recorded, not run; other projects' versions in its record are none of ours."""
    with connect(empty_database, autocommit=True) as connection:
        connection.execute(CLI_LEDGER)
        connection.execute(
            """insert into supabase_migrations.schema_migrations (version)
               values ('20260101000000'), ('20200101000000')"""
        )
    assert migrate(empty_database, folder=folder) == (
        AppliedMigration("20260101000000", "first", adopted=True),
        AppliedMigration("20260102000000", "second", adopted=False),
    )
    with connect(empty_database) as connection:
        assert value(connection, "select to_regclass('public.first')") is None
        assert column(connection, "select adopted from two_tower.schema_migrations order by version") == [True, False]
    assert migrate(empty_database, folder=folder) == ()


def test_files_we_ran_are_recorded_for_the_cli(empty_database: str, folder: Path) -> None:
    """With the CLI's record present, a later push finds nothing to do."""
    with connect(empty_database, autocommit=True) as connection:
        connection.execute(CLI_LEDGER)
    migrate(empty_database, folder=folder)
    with connect(empty_database) as connection:
        rows = connection.execute(
            "select version, name, statements from supabase_migrations.schema_migrations order by version"
        ).fetchall()
    assert rows == [
        ("20260101000000", "first", ["create table public.first (id int);"]),
        ("20260102000000", "second", ["create table public.second (id int);"]),
    ]


@pytest.mark.skipif(SUPABASE is None, reason="no Supabase CLI (put `supabase` on PATH or set TWO_TOWER_SUPABASE_CLI)")
def test_the_real_cli_pushes_the_same_files(empty_database: str, tmp_path: Path) -> None:
    """`supabase db push` builds the same database, and each tool then finds nothing to do."""
    with connect(empty_database, autocommit=True) as connection:
        for path in sorted((sql_folder() / "local").glob("*.sql")):
            connection.execute(path.read_text(encoding="utf-8"))
    push = [
        str(SUPABASE),
        "--workdir",
        "infra",
        "db",
        "push",
        "--yes",
        "--db-url",
        f"{empty_database}?sslmode=disable",
    ]
    environment = {**os.environ, "HOME": str(tmp_path), "SUPABASE_TELEMETRY_DISABLED": "1"}
    subprocess.run(push, cwd=REPOSITORY, env=environment, check=True, capture_output=True, timeout=120)
    pushed = _state(empty_database)
    assert [migration.adopted for migration in migrate(empty_database)] == [True] * len(MIGRATIONS)
    added = set(_state(empty_database).splitlines()) - set(pushed.splitlines())
    assert all("schema_migrations" in line for line in added)
    again = subprocess.run(push, cwd=REPOSITORY, env=environment, check=True, capture_output=True, timeout=120)
    assert b"up to date" in again.stdout + again.stderr


def test_cli_finds_the_migrations() -> None:
    """The Supabase project's migrations are the ones of this package."""
    assert (REPOSITORY / "infra" / "supabase" / "migrations").resolve() == (sql_folder() / "migrations").resolve()


def test_pgvector_in_schema_public_is_left_there(empty_database: str) -> None:
    """An extension that somebody installed elsewhere is used where it is, by functions and tables alike."""
    with connect(empty_database, autocommit=True) as connection:
        connection.execute("create extension vector with schema public")
    migrate(empty_database)
    with connect(empty_database, autocommit=True, options="-c search_path=") as connection:
        connection.execute("insert into public.videos (id) values (gen_random_uuid())")
        connection.execute("insert into public.model_releases (model_version, video_count) values ('v1', 1)")
        connection.execute("select two_tower.create_video_embeddings('v1')")
        unit = "[1" + ",0" * 255 + "]"
        connection.execute(
            """insert into two_tower.video_embeddings_v1 (video_id, embedding)
               select id, %s::public.vector from public.videos""",
            (unit,),
        )
        connection.execute("select two_tower.index_video_embeddings('v1', 16, 64)")
        connection.execute("update public.model_releases set state = 'verified'")
        connection.execute("select two_tower.activate_release('v1', null)")
        found = "select similarity from public.recommend_videos_ann(%s::public.vector)"
        assert value(connection, found, unit) == pytest.approx(1)


def test_pgvector_in_another_schema_is_refused(empty_database: str) -> None:
    """Where the functions would not look for it, the first file says so and how to mend it."""
    with connect(empty_database, autocommit=True) as connection:
        connection.execute("create schema elsewhere; create extension vector with schema elsewhere")
    with pytest.raises(MigrationError, match="alter extension vector set schema extensions"):
        migrate(empty_database)


@pytest.mark.parametrize(
    ("versions", "message"),
    [
        ("select null::text, null::text", "has no pgvector"),
        ("select null::text, '0.7.4'", r"pgvector 0\.7\.4 has no iterative index scans"),
        ("select '0.7.4', '0.8.1'", r"pgvector 0\.7\.4 has no iterative index scans"),
    ],
)
def test_unfit_pgvector_is_refused_with_its_remedy(
    empty_database: str, monkeypatch: pytest.MonkeyPatch, versions: str, message: str
) -> None:
    """A server without pgvector, or with an old one, is named before anything runs."""
    monkeypatch.setattr("two_tower_assets.database.migrate.query", lambda _name: versions)
    with pytest.raises(DatabaseError, match=message):
        migrate(empty_database)


@pytest.fixture
def supabase_like(cluster: EmbeddedPostgres) -> Iterator[str]:
    """A database as Supabase gives it: its own roles and schema auth, and an owner who is no superuser."""
    name = f"supabase_{uuid4().hex}"
    with connect(cluster.url(), autocommit=True) as server:
        server.execute("create role supabase_admin superuser; create role someowner login createrole password 'pw'")
        server.execute("grant anon, authenticated, service_role to someowner")
        server.execute(f"create database {name} owner someowner")
        with connect(cluster.url(name), autocommit=True) as connection:
            connection.execute((sql_folder() / "local" / "002_auth.sql").read_text(encoding="utf-8"))
            connection.execute("create extension vector with schema extensions")
            connection.execute("grant usage on schema auth, extensions to someowner with grant option")
            connection.execute("alter schema public owner to someowner")
            connection.execute(
                "alter default privileges for role someowner grant all on tables to anon, authenticated"
            )
            connection.execute("alter default privileges for role someowner grant all on functions to anon")
        yield f"postgresql://someowner:pw@{cluster.url(name).rpartition('@')[2]}"
        server.execute(f"drop database {name} with (force)")
        server.execute("drop role supabase_admin, someowner")


def test_supabase_is_migrated_by_an_owner_who_is_no_superuser(supabase_like: str, database: str) -> None:
    """Auth and roles are left alone, and generous default privileges change nothing of who may do what."""
    assert len(migrate(supabase_like)) == len(MIGRATIONS)
    held = """
    select format('%s %s %s', r, kind, name) from unnest(array['anon', 'authenticated', 'service_role']) as r
    cross join lateral (
      select 'function' as kind, oid::regprocedure::text as name from pg_proc
      where pronamespace in ('public'::regnamespace, 'two_tower'::regnamespace)
        and has_function_privilege(r, oid, 'execute')
      union all
      select p, oid::regclass::text
      from pg_class, unnest(array['select', 'insert', 'update', 'delete', 'truncate']) as p
      where relnamespace in ('public'::regnamespace, 'two_tower'::regnamespace) and relkind in ('r', 'p', 'v')
        and has_table_privilege(r, oid, p)
    ) as held order by 1
    """
    with connect(supabase_like) as theirs, connect(database) as ours:
        assert column(theirs, held) == column(ours, held)
        assert value(theirs, "select count(*) from public.get_user_embedding_feature_batch()") == 0
