"""Telling one's own session from a pooler's, before a real PgBouncer and without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from two_tower_assets.database.migrate import migrate
from two_tower_assets.database.pooling import connect_to_own_session, refuse_transaction_address
from two_tower_assets.errors import DatabaseError
from two_tower_assets_tests.database.pgbouncer import PASSWORD, needs_pgbouncer, pgbouncer

REMEDY = r"Use the server's own address or a pooler in session mode; on Supabase both answer at port 5432"


def process(connection: psycopg.Connection) -> int:
    """The server process that answers."""
    row = connection.execute("select pg_backend_pid()").fetchone()
    assert row is not None
    return int(row[0])


def sessions(url: str) -> list[str]:
    """What other sessions of the database call themselves."""
    with psycopg.connect(url) as connection:
        found = connection.execute(
            "select application_name from pg_stat_activity where datname = current_database()"
            " and pid <> pg_backend_pid() and backend_type = 'client backend' order by 1"
        )
        return [name for (name,) in found]


@pytest.fixture
def clients() -> Iterator[ExitStack]:
    """Where a test leaves the connections of other clients."""
    with ExitStack() as stack:
        yield stack


def test_a_direct_session_is_ones_own(database: str) -> None:
    """The connection works, commits by itself, and is named as asked."""
    with connect_to_own_session(database, application_name="somebody") as connection:
        assert process(connection) == connection.info.backend_pid
        assert connection.autocommit
        assert "somebody" in sessions(database)


@needs_pgbouncer
@pytest.mark.parametrize("pool_size", [1, 2, 20])
@pytest.mark.parametrize("round_robin", ["0", "1"])
def test_transaction_mode_is_refused(database: str, tmp_path: Path, pool_size: int, round_robin: str) -> None:
    """However many servers it has and whichever it lends first; the text has the remedy and no password."""
    with (
        pgbouncer(
            database, tmp_path, pool_mode="transaction", pool_size=pool_size, server_round_robin=round_robin
        ) as pooler,
        pytest.raises(DatabaseError, match=rf"pooler in transaction mode.*127\.0\.0\.1:\d+/.*{REMEDY}") as caught,
    ):
        connect_to_own_session(pooler)
    assert PASSWORD not in str(caught.value)


@needs_pgbouncer
@pytest.mark.parametrize("holding", [0, 3, 7])
@pytest.mark.parametrize("round_robin", ["0", "1"])
def test_transaction_mode_is_refused_among_other_clients(
    database: str, tmp_path: Path, clients: ExitStack, holding: int, round_robin: str
) -> None:
    """Eight servers are there already; some are amid other clients' transactions, the others idle."""
    with pgbouncer(
        database, tmp_path, pool_mode="transaction", pool_size=8, server_round_robin=round_robin
    ) as pooler:
        others = [clients.enter_context(closing(psycopg.connect(pooler))) for _ in range(8)]
        assert len({process(other) for other in others}) == 8
        for other in others[holding:]:
            other.rollback()
        with pytest.raises(DatabaseError, match="pooler in transaction mode"):
            connect_to_own_session(pooler)


@needs_pgbouncer
def test_statement_mode_is_refused(database: str, tmp_path: Path) -> None:
    """A pooler that knows no transactions turns the probe away, and says so."""
    with (
        pgbouncer(database, tmp_path, pool_mode="statement") as pooler,
        pytest.raises(DatabaseError, match=rf"transaction blocks not allowed.*{REMEDY}"),
    ):
        connect_to_own_session(pooler)


@needs_pgbouncer
@pytest.mark.parametrize("pool_size", [1, 2, 20])
def test_session_mode_is_ones_own(database: str, tmp_path: Path, pool_size: int) -> None:
    """What a session keeps stays with it, also when the pooler has no server left for anybody else."""
    with (
        pgbouncer(database, tmp_path, pool_mode="session", pool_size=pool_size) as pooler,
        connect_to_own_session(pooler, patience=0.5) as connection,
    ):
        connection.execute("create temporary table kept as select pg_backend_pid() as process")
        assert connection.execute("select process from kept").fetchone() == (process(connection),)


@needs_pgbouncer
@pytest.mark.parametrize("pool_mode", ["transaction", "session"])
def test_a_pooler_without_a_free_server_ends_the_waiting(
    database: str, tmp_path: Path, clients: ExitStack, pool_mode: str
) -> None:
    """Where all servers are taken nothing waits for ever, and the address is named without its password."""
    with pgbouncer(database, tmp_path, pool_mode=pool_mode, pool_size=1) as pooler:
        process(clients.enter_context(closing(psycopg.connect(pooler))))
        with pytest.raises(DatabaseError, match=r"no server answered within 0\.3 s \[.*127\.0\.0\.1") as caught:
            connect_to_own_session(pooler, patience=0.3)
    assert PASSWORD not in str(caught.value)


@needs_pgbouncer
def test_migrating_needs_a_session_of_ones_own(empty_database: str, tmp_path: Path) -> None:
    """Through transaction mode nothing is made; through session mode everything is, and the lock is given back."""
    with (
        pgbouncer(empty_database, tmp_path, pool_mode="transaction") as pooler,
        pytest.raises(DatabaseError, match="pooler in transaction mode"),
    ):
        migrate(pooler)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select to_regnamespace('two_tower')").fetchone() == (None,)
    with pgbouncer(empty_database, tmp_path, pool_mode="session", server_reset_query="") as pooler:
        assert migrate(pooler)
        with psycopg.connect(empty_database) as connection:
            assert connection.execute("select count(*) from pg_locks where locktype = 'advisory'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "postgresql://postgres.project:s3cret@aws-0-eu-central-1.pooler.supabase.com:6543/postgres",
            r"aws-0-eu-central-1\.pooler\.supabase\.com:6543",
        ),
        ("postgresql://postgres:s3cret@db.project.supabase.co:6543/postgres", r"db\.project\.supabase\.co:6543"),
        ("postgresql+psycopg2://u:s3cret@DB.Project.Supabase.co:6543/postgres", r"db\.project\.supabase\.co:6543"),
        ("postgresql:///postgres?host=db.p.supabase.co&port=6543&password=s3cret", r"db\.p\.supabase\.co:6543"),
        ("postgresql://u:s3cret@one,db.p.supabase.co:6543/postgres", r"db\.p\.supabase\.co:6543"),
    ],
)
def test_supabase_s_transaction_poolers_are_known_by_address(url: str, address: str) -> None:
    """Without connecting; the text names host and port, has the remedy and no password."""
    with pytest.raises(DatabaseError, match=rf"(?i){address} is a pooler in transaction mode.*{REMEDY}") as caught:
        connect_to_own_session(url)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://postgres.project:s3cret@aws-0-eu-central-1.pooler.supabase.com:5432/postgres",
        "postgresql://postgres:s3cret@db.project.supabase.co:5432/postgres",
        "postgresql://postgres:s3cret@db.project.supabase.co/postgres",
        "postgresql://postgres:s3cret@localhost:6543/postgres",
        "postgresql://postgres:s3cret@db.supabase.co.example.org:6543/postgres",
        "postgresql://postgres:s3cret@[::1/postgres",
    ],
)
def test_other_addresses_are_not_judged_by_name(url: str) -> None:
    """Session mode, direct connections, other people's servers on that port, and what cannot be read."""
    assert refuse_transaction_address(url) is None
