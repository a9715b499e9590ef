"""A Postgres with pgvector of one's own: a cluster in a folder, started detached, reached over TCP on loopback.

What lives here: where a cluster is, and starting it there. What does not: whom it runs as (`account`), where its
programs are (`binaries`), how its data are made (`initdb`), its settings (`tuning`), which processes are its
(`processes`) and how they end (`shutdown`), and every table in it (`database`).

The folder holds `cluster.json` (where the data are, the port), `password` (mode 0600), `server.log` and `lock`; the
data lie beside them in `data/`, or, as root in a folder that the server's account cannot reach, under
`/var/lib/two-tower`.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shlex
import shutil
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import sql

from two_tower_assets.database.connection import connect
from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.account import Account, server_account
from two_tower_assets.local.binaries import Binaries, find_binaries, shared_root
from two_tower_assets.local.cluster_file import ClusterFile, read_cluster_file, write_cluster_file
from two_tower_assets.local.initdb import new_data
from two_tower_assets.local.locking import exclusive
from two_tower_assets.local.processes import MARK_SETTING, is_ready, postmaster
from two_tower_assets.local.server_log import ServerLog
from two_tower_assets.local.shutdown import clear_remains, halt, remove_orphan, wait_for
from two_tower_assets.local.tuning import server_settings

SUPERUSER: Final = "postgres"
HOST: Final = "127.0.0.1"

_START_SECONDS: Final = 300
"""Crash recovery of a big cluster takes minutes at worst."""
_START_ATTEMPTS: Final = 5
_DISK_ERRORS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


class EmbeddedPostgres:
    """One cluster in one folder. Any number of objects and processes may name the same folder.

    Args:
        folder: the cluster's own folder; made on the first start.
        settings: server settings over those of `tuning`, such as `{"fsync": "off"}` for a throw-away cluster.
            They apply from the next start of the server on.
    """

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder.absolute()
        self._settings = dict(settings or {})
        self._log = ServerLog(self.folder / "server.log")

    def __repr__(self) -> str:
        return f"EmbeddedPostgres({str(self.folder)!r})"

    def start(self) -> None:
        """Make the cluster when there is none, and run it when it does not run; returns when it answers.

        The server outlives this process. Callers at the same moment wait for one another.

        Raises:
            LocalStackError: the programs are missing, or the cluster cannot be made or started (with the end of
                the server's log).
        """
        with self._exclusive():
            account = server_account()
            binaries = find_binaries(account)
            cluster = self._placed(account)
            if not self._data(cluster).exists():
                password = secrets.token_urlsafe(24)
                with new_data(
                    self._data(cluster),
                    superuser=SUPERUSER,
                    password=password,
                    sync=self._settings.get("fsync") != "off",
                    account=account,
                    binaries=binaries,
                    log=self._log,
                ):
                    self._write_password(password)
            if not self._serves(cluster):
                self._launch(cluster, account, binaries)

    def stop(self) -> None:
        """Shut the server down fast: sessions are cut, data are flushed. No server is no error."""
        if self._cluster() is None:
            return
        with self._exclusive():
            cluster = self._cluster()
            if cluster is not None:
                halt(self._data(cluster), cluster.mark)

    def destroy(self) -> None:
        """Stop the server and delete the cluster with all its data, wherever they lie."""
        if not self.folder.exists():
            return
        with self._exclusive():
            cluster = self._cluster()
            if cluster is not None:
                halt(self._data(cluster), cluster.mark)
                shutil.rmtree(self._data(cluster), ignore_errors=True)
            for path in (self._password_file, *self._log.files, ClusterFile.path(self.folder), self._lock):
                path.unlink(missing_ok=True)
        with suppress(OSError):  # a folder with anything else in it stays
            self.folder.rmdir()

    def is_running(self) -> bool:
        """Whether the server runs and accepts connections."""
        with self._permitted():
            cluster = self._cluster()
            return cluster is not None and self._serves(cluster)

    def url(self, database: str = SUPERUSER) -> str:
        """Return the superuser's URL of a database, password included: never log it.

        Raises:
            LocalStackError: the cluster was never started.
        """
        cluster = self._cluster()
        if cluster is None or cluster.port is None or not self._password_file.exists():
            raise LocalStackError(
                "The embedded Postgres has never been started",
                where=str(self.folder),
                remedy="Start it first (`two-tower run` does).",
            )
        with self._permitted():
            password = self._password_file.read_text(encoding="utf-8")
        return f"postgresql://{SUPERUSER}:{password}@{HOST}:{cluster.port}/{quote(database, safe='')}"

    def ensure_database(self, name: str) -> str:
        """Create the database when it is missing and return its URL.

        Raises:
            LocalStackError: the cluster was never started.
            DatabaseError: the server does not run.
        """
        with connect(self.url(), autocommit=True) as connection:
            known = connection.execute("select 1 from pg_database where datname = %s", [name]).fetchone()
            if known is None:
                # Somebody else may create it at this very moment.
                with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        return self.url(name)

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    @property
    def _lock(self) -> Path:
        return self.folder / "lock"

    @contextmanager
    def _exclusive(self) -> Iterator[None]:
        with self._permitted():
            self.folder.mkdir(parents=True, exist_ok=True)
            with exclusive(self._lock):
                yield

    @contextmanager
    def _permitted(self) -> Iterator[None]:
        try:
            yield
        except PermissionError as error:
            raise LocalStackError(
                f"The embedded Postgres in this folder belongs to another user: {error}",
                where=str(self.folder),
                remedy="Use another TWO_TOWER_HOME, or run as the user who made it.",
            ) from None
        except OSError as error:
            if error.errno not in _DISK_ERRORS:
                raise
            raise LocalStackError(
                f"The folder of the embedded Postgres cannot be written: {error}",
                where=str(self.folder),
                remedy="Free disk space, or use another TWO_TOWER_HOME.",
            ) from None

    def _cluster(self) -> ClusterFile | None:
        return read_cluster_file(self.folder)

    def _data(self, cluster: ClusterFile) -> Path:
        return self.folder / cluster.data

    def _serves(self, cluster: ClusterFile) -> bool:
        data = self._data(cluster)
        return postmaster(data, cluster.mark) is not None and is_ready(data)

    def _placed(self, account: Account) -> ClusterFile:
        """Return where the cluster is, choosing and recording a place the first time."""
        cluster = self._cluster()
        if cluster is None:
            return self._choose_place(account)
        if cluster.folder == str(self.folder):
            return cluster
        original = read_cluster_file(Path(cluster.folder))
        if original is not None and original.mark == cluster.mark:
            raise LocalStackError(
                f"This folder is a copy of the cluster in {cluster.folder}; two servers cannot share its data",
                where=str(self.folder),
                remedy="Delete this copy; the next start makes a fresh cluster.",
            )
        return self._record(cluster.moved_to(self.folder))

    def _choose_place(self, account: Account) -> ClusterFile:
        data = "data"
        if not account.can_enter(self.folder):
            name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
            place = shared_root() / name
            # Left behind by a folder of this path that was deleted by hand; its password went with it.
            remove_orphan(place)
            data = str(place)
        elif (self.folder / data).exists():
            raise LocalStackError(
                "The folder holds a cluster's data, but cluster.json is gone",
                where=str(self.folder),
                remedy="Restore cluster.json from a backup, or delete the folder to begin afresh.",
            )
        return self._record(ClusterFile(folder=str(self.folder), data=data, mark=ClusterFile.new_mark()))

    def _record(self, cluster: ClusterFile) -> ClusterFile:
        write_cluster_file(self.folder, cluster)
        return cluster

    def _write_password(self, password: str) -> None:
        self._password_file.unlink(missing_ok=True)
        handle = os.open(self._password_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(password)

    def _launch(self, cluster: ClusterFile, account: Account, binaries: Binaries) -> None:
        if not self._password_file.exists():
            raise LocalStackError(
                "The password file of the cluster is gone",
                where=str(self._password_file),
                remedy="Restore it, or run `two-tower down` and delete the folder to begin afresh.",
            )
        data = self._data(cluster)
        if postmaster(data, cluster.mark) is not None and wait_for(lambda: self._serves(cluster), _START_SECONDS):
            return
        clear_remains(data, cluster.mark)
        output = ""
        for _ in range(_START_ATTEMPTS):
            cluster = self._record(cluster.on_port(_free_port(cluster.port)))
            output = self._run_server(cluster, account, binaries)
            if self._serves(cluster):
                return
            clear_remains(data, cluster.mark)
            if "Address already in use" not in output:
                break
        raise self._log.failure("The server did not start", output)

    def _run_server(self, cluster: ClusterFile, account: Account, binaries: Binaries) -> str:
        """Run `pg_ctl start`, which returns when the server is ready or dead; return what it logged meanwhile."""
        options = " ".join(shlex.quote(f"--{name}={value}") for name, value in self._options(cluster).items())
        with self._log.appending() as log:
            account.run(
                [
                    binaries.program("pg_ctl"),
                    "start",
                    f"--pgdata={self._data(cluster)}",
                    f"--options={options}",
                    f"--timeout={_START_SECONDS}",
                    "--wait",
                    "--silent",
                ],
                stdout=log,
                stderr=log,
            )
        return self._log.latest()

    def _options(self, cluster: ClusterFile) -> dict[str, str]:
        return {
            **server_settings(),
            **self._settings,
            "listen_addresses": HOST,
            "port": str(cluster.port),
            "unix_socket_directories": "",
            MARK_SETTING: cluster.mark,
        }


def _free_port(preferred: int | None) -> int:
    for port in [preferred, 0] if preferred else [0]:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            # As the server does: a port is free although old connections linger in TIME_WAIT.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind((HOST, port))
                found: int = probe.getsockname()[1]
                return found
    raise LocalStackError(
        "No TCP port is free on loopback", where=HOST, remedy="Close some programs, then start again."
    )
