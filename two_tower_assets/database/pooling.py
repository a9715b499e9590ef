"""Telling a session of one's own from one that a pooler lends by the transaction, and refusing the latter.

In transaction mode a pooler runs each transaction of a client on whichever server session is free: session-level
locks, `set` and temporary tables land in somebody else's session. It is known by its address (Supabase's port) or
by its behaviour: while one client sits between transactions, another is given the same server process. What does
not live here: the locks (`advisory_lock`).
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn
from psycopg.rows import TupleRow

from two_tower_assets.database.connection import APPLICATION_NAME, connect, libpq_url, without_password
from two_tower_assets.errors import DatabaseError

SUPABASE_TRANSACTION_PORT: Final = 6543
"""On it Supabase's shared and dedicated poolers know only transaction mode; 5432 is session mode or direct."""
PATIENCE_SECONDS: Final = 10.0

_SUPABASE_HOSTS: Final = (".pooler.supabase.com", ".supabase.co")
_POOLER_PROBES: Final = 4
"""Servers held at once behind a pooler: other clients may have the one that is looked for at any one moment."""
_PROCESS: Final = b"select pg_catalog.pg_backend_pid()"
_REMEDY: Final = (
    "Use the server's own address or a pooler in session mode; on Supabase both answer at port 5432"
    " (`db.<project>.supabase.co:5432` or `<region>.pooler.supabase.com:5432`)."
)

Connection = psycopg.Connection[TupleRow]


def connect_to_own_session(
    url: str, *, application_name: str = APPLICATION_NAME, patience: float = PATIENCE_SECONDS
) -> Connection:
    """Open an autocommitting connection whose server session is nobody else's for as long as it lasts.

    Costs one more connection for a moment, and a few when a pooler is in between.

    Args:
        url: where the database is.
        application_name: how the session is listed on the server.
        patience: seconds that a pooler may take to give a server.

    Raises:
        DatabaseError: there is no connection, no answer within `patience`, or the address is that of a pooler in
            transaction mode; the text has the remedy and no password.
    """
    refuse_transaction_address(url)
    connection = connect(url, autocommit=True, application_name=application_name)
    try:
        _refuse_shared_session(connection, url, patience)
    except BaseException:
        connection.close()
        raise
    return connection


def refuse_transaction_address(url: str) -> None:
    """Refuse the addresses of Supabase's poolers in transaction mode, without connecting.

    Raises:
        DatabaseError: it is such an address; the text has the remedy and no password.
    """
    for host, port in _addresses(url):
        if port == str(SUPABASE_TRANSACTION_PORT) and host.lower().endswith(_SUPABASE_HOSTS):
            raise _transaction_mode(f"{host}:{port} is a pooler in transaction mode", url)


def _addresses(url: str) -> list[tuple[str, str]]:
    """Return the hosts and ports of a URL, which may name several; none when it is malformed: connecting says so."""
    try:
        parts = conninfo_to_dict(libpq_url(url))
    except psycopg.Error:
        return []
    hosts, ports = str(parts.get("host", "")).split(","), str(parts.get("port", "")).split(",")
    return list(zip(hosts, ports * len(hosts) if len(ports) == 1 else ports, strict=False))


def _refuse_shared_session(connection: Connection, url: str, patience: float) -> None:
    own = _require_process(connection, url, patience)
    # Poolers announce a number of their own to a client; a server announces its process.
    probes = 1 if own == connection.info.backend_pid else _POOLER_PROBES
    with ExitStack() as held:
        for _ in range(probes):
            lent = held.enter_context(_server_held(url, patience))
            # Asked again only while the probe has another server: it could not be answered by a pool of one.
            if lent == own or _require_process(connection, url, patience) != own:
                raise _transaction_mode("A pooler in transaction mode lends a server session to several clients", url)
            if lent is None:
                # The pool is empty, and still this client was served before the one that waits: its server is kept.
                return


def _transaction_mode(what: str, url: str) -> DatabaseError:
    return DatabaseError(
        f"{what}: locks, settings and temporary tables do not hold there",
        where=without_password(url),
        remedy=_REMEDY,
    )


def _require_process(connection: Connection, url: str, patience: float) -> int:
    process = _process(connection, url, _PROCESS, patience)
    if process is None:
        raise DatabaseError(
            f"Connected, but no server answered within {patience:g} s",
            where=without_password(url),
            remedy=f"The pooler's servers may all be busy: try again later. {_REMEDY}",
        )
    return process


@contextmanager
def _server_held(url: str, patience: float) -> Iterator[int | None]:
    """Yield the process that serves another client's open transaction; None: the client is kept waiting."""
    probe = connect(url, autocommit=True, application_name=f"{APPLICATION_NAME} looking for a pooler")
    try:
        yield _process(probe, url, b"begin; " + _PROCESS, patience)
    finally:
        if probe.info.transaction_status == TransactionStatus.INTRANS:
            probe.rollback()
        probe.close()


def _process(connection: Connection, url: str, statements: bytes, patience: float) -> int | None:
    """Return the one number that statements give; None: no answer within `patience` seconds."""
    try:
        return _answer(connection.pgconn, statements, patience)
    except psycopg.OperationalError as error:
        raise DatabaseError(
            f"A client was turned away after it had connected: {str(error).strip()}",
            where=without_password(url),
            remedy=_REMEDY,
        ) from None


def _answer(server: PGconn, statements: bytes, patience: float) -> int | None:
    # The driver's own waiting has no limit, and a pooler's queue is out of reach of the server's time-outs.
    deadline = time.monotonic() + patience
    server.send_query(statements)
    server.flush()
    number: int | None = None
    with selectors.DefaultSelector() as arrivals:
        arrivals.register(server.socket, selectors.EVENT_READ)
        while True:
            while server.is_busy():
                if not arrivals.select(max(0.0, deadline - time.monotonic())):
                    return None
                server.consume_input()
            result = server.get_result()
            if result is None:
                return number
            if result.status == ExecStatus.FATAL_ERROR:
                raise psycopg.OperationalError(result.get_error_message())
            if value := result.get_value(0, 0) if result.ntuples else None:
                number = int(value)
