"""Looks at a real Postgres: whole, empty, with an old pgvector, with other grants, and behind a real PgBouncer."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from two_tower_assets.doctor.database import Database, look_at_migrations, look_at_pgvector, look_at_session
from two_tower_assets.doctor.examination import Check, examine
from two_tower_assets.doctor.grants import look_at_grants
from two_tower_assets.errors import DatabaseError
from two_tower_assets_tests.database.pgbouncer import needs_pgbouncer, pgbouncer
from two_tower_assets_tests.doctor.looks import Record, levels, note, only

LOOKS = (look_at_session, look_at_pgvector, look_at_migrations, look_at_grants)
RPC = "public.get_user_embedding_features(uuid,timestamp with time zone)"


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_migrated_database_is_well(database: str) -> None:
    """Every look is content, and shows no password."""
    found = [only(look(Database(database, own=True))) for look in LOOKS]
    assert levels(found) == ["ok"] * 4
    password = psycopg.conninfo.conninfo_to_dict(database)["password"]
    assert str(password) not in str(found)


def test_an_empty_database_is_told_to_be_migrated(empty_database: str, record_property: Record) -> None:
    """Pgvector is not installed, all migrations are pending, no object is there; nothing is mended unasked."""
    foreign = Database(empty_database, own=False)
    assert "not installed in this database" in only(look_at_pgvector(foreign)).what
    pending = only(look_at_migrations(foreign))
    assert (pending.level, pending.fix, pending.remedy) == ("problem", None, "two-tower migrate")
    assert "20261124000000_foundation" in pending.what
    assert "tables and functions are missing" in only(look_at_grants(foreign)).what
    note(record_property, "an empty database", *(only(look(foreign)) for look in LOOKS))


def test_the_own_database_is_migrated_when_asked(empty_database: str) -> None:
    """`--fix` applies what is pending, and the next look is content."""
    own = Database(empty_database, own=True)
    look = Check("migrations", lambda: look_at_migrations(own))
    (mended,) = (finding for _, finding in examine([look], fix=True))
    assert mended.level == "ok"
    assert mended.done is not None
    assert mended.done.startswith("applied ")
    assert levels(look.look()) == ["ok"]
    assert levels(look_at_pgvector(own)) == ["ok"]


@pytest.mark.parametrize(
    ("version", "level", "words"),
    [
        ("0.7.4", "problem", "no iterative index scans"),
        ("0.8.0", "warning", "below 0.8.4 have bugs in their indexes"),
        ("0.8.3", "warning", "below 0.8.4"),
        ("0.8.4", "ok", "pgvector 0.8.4"),
        ("0.10.0", "ok", "pgvector 0.10.0"),
    ],
)
def test_an_old_pgvector(database: str, version: str, level: str, words: str, record_property: Record) -> None:
    """The extension catalog names an older version than the server offers: updating the extension is the remedy."""
    execute(database, f"update pg_catalog.pg_extension set extversion = '{version}' where extname = 'vector'")
    found = only(look_at_pgvector(Database(database, own=False)))
    assert found.level == level
    assert words in found.what
    note(record_property, f"pgvector {version}", found)
    assert found.remedy == (None if level == "ok" else "alter extension vector update")


def test_revoked_and_surplus_grants_are_told_with_their_statement(database: str, record_property: Record) -> None:
    """Each difference is one finding, whose remedy is the statement that ends it."""
    execute(
        database,
        f"revoke execute on function {RPC} from authenticated",
        "revoke select on public.videos from service_role",
        "revoke select (vector_table) on public.model_releases from authenticated",
        "grant execute on function public.get_live_release() to anon",
        "grant insert on public.model_releases to authenticated",
    )
    found = list(look_at_grants(Database(database, own=False)))
    assert levels(found) == ["problem"] * 5
    assert {finding.fix for finding in found} == {None}
    note(record_property, "other grants", *found)
    remedies = [str(finding.remedy) for finding in found]
    assert f"grant execute on function {RPC} to authenticated;" in remedies
    assert "revoke insert on public.model_releases from authenticated, public;" in remedies
    execute(database, *remedies)
    assert levels(look_at_grants(Database(database, own=False))) == ["ok"]


def test_the_own_database_s_grants_are_mended_when_asked(database: str) -> None:
    """Functions on vectors among them."""
    own = Database(database, own=True)
    search = "public.recommend_videos_ann(extensions.vector,int,uuid[],int,text[],uuid[],timestamptz,text)"
    execute(
        database, f"revoke execute on function {search} from authenticated", "grant select on two_tower.loads to anon"
    )
    (first, second) = (finding for _, finding in examine([Check("g", lambda: look_at_grants(own))], fix=True))
    assert (first.level, second.level) == ("ok", "ok")
    assert levels(look_at_grants(own)) == ["ok"]


def test_what_an_owner_granted_before_is_left_alone(empty_database: str) -> None:
    """A table that was there before the first migration keeps its grants, and they are no finding."""
    execute(empty_database, "create table public.tags (id uuid primary key, name text)", "create role anon_reader")
    own = Database(empty_database, own=True)
    list(examine([Check("m", lambda: look_at_migrations(own))], fix=True))
    execute(empty_database, "grant select on public.tags to anon", "drop role anon_reader")
    assert levels(look_at_grants(own)) == ["ok"]


@needs_pgbouncer
def test_a_pooler_in_transaction_mode_is_a_problem(database: str, tmp_path: Path, record_property: Record) -> None:
    """The remedy is port 5432; what reads only goes on; in session mode all is well."""
    with pgbouncer(database, tmp_path, pool_mode="transaction") as pooler:
        behind = Database(pooler, own=False)
        checks = [
            Check(look.__name__, lambda look=look: look(behind)) for look in (look_at_session, look_at_pgvector)
        ]  # type: ignore[misc]
        session, pgvector = (finding for _, finding in examine(checks))
    assert session.level == "problem"
    assert "pooler in transaction mode" in session.what
    assert "port 5432" in str(session.remedy)
    assert pgvector.level == "ok"
    note(record_property, "PgBouncer in transaction mode", session, pgvector)
    with pgbouncer(database, tmp_path, pool_mode="session") as pooler:
        assert levels(look_at_session(Database(pooler, own=False))) == ["ok"]


def test_nobody_answers() -> None:
    """A port where nothing listens is an error for people, without the password."""
    nowhere = Database("postgresql://user:s3cret@127.0.0.1:9/postgres", own=False)
    for look in LOOKS:
        with pytest.raises(DatabaseError, match="Cannot connect") as caught:
            list(look(nowhere))
        assert "s3cret" not in str(caught.value)
