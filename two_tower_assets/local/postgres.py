"""A Postgres with pgvector of one's own: a cluster in a folder, started detached, reached over TCP on loopback.

What lives here: making, starting, stopping and removing a cluster. What does not: whom it runs as (`account`),
where its programs are (`binaries`), its settings (`tuning`), which processes are its (`processes`), and every table
in it (`database`).

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
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Final
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.account import Account, server_account
from two_tower_assets.local.binaries import Binaries, find_binaries, shared_root
from two_tower_assets.local.cluster_file import ClusterFile, read_cluster_file, write_cluster_file
from two_tower_assets.local.locking import exclusive
from two_tower_assets.local.processes import MARK_SETTING, is_ready, marks_on, postmaster, server_processes
from two_tower_assets.local.tuning import server_settings

SUPERUSER: Final = "postgres"
HOST: Final = "127.0.0.1"

_START_SECONDS: Final = 300
"""Crash recovery of a big cluster takes minutes at worst."""
_STOP_SECONDS: Final = 60
_ORPHAN_SECONDS: Final = 1
"""Idle children of a dead postmaster end at once; those that compute do not notice, and are killed."""
_START_ATTEMPTS: Final = 5
_DISK_ERRORS: Final = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)
_LOG_TAIL: Final = 15
_LOG_LIMIT: Final = 16 << 20


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
                self._initialise(cluster, account, binaries)
            if not self._serves(cluster):
                self._launch(cluster, account, binaries)

    def stop(self) -> None:
        """Shut the server down fast: sessions are cut, data are flushed. No server is no error."""
        if self._cluster() is None:
            return
        with self._exclusive():
            cluster = self._cluster()
            if cluster is not None:
                _halt(self._data(cluster), cluster.mark)

    def destroy(self) -> None:
        """Stop the server and delete the cluster with all its data, wherever they lie."""
        if not self.folder.exists():
            return
        with self._exclusive():
            cluster = self._cluster()
            if cluster is not None:
                _halt(self._data(cluster), cluster.mark)
                shutil.rmtree(self._data(cluster), ignore_errors=True)
            for path in (self._password_file, self._log, ClusterFile.path(self.folder), self._lock):
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
        """Create the database when it is missing and return its URL; the server must run."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
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
    def _log(self) -> Path:
        return self.folder / "server.log"

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
            _remove_orphan(place)
            data = str(place)
        elif self._data_without_record().exists():
            raise LocalStackError(
                "The folder holds a cluster's data, but cluster.json is gone",
                where=str(self.folder),
                remedy="Restore cluster.json from a backup, or delete the folder to begin afresh.",
            )
        return self._record(ClusterFile(folder=str(self.folder), data=data, mark=ClusterFile.new_mark()))

    def _data_without_record(self) -> Path:
        return self.folder / "data"

    def _record(self, cluster: ClusterFile) -> ClusterFile:
        write_cluster_file(self.folder, cluster)
        return cluster

    def _initialise(self, cluster: ClusterFile, account: Account, binaries: Binaries) -> None:
        data = self._data(cluster)
        partial = data.with_name(f"{data.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        password = secrets.token_urlsafe(24)
        try:
            partial.mkdir(mode=0o700)
            account.own(partial)
            with _secret_file(data.parent, password, account) as secret:
                self._run_initdb(partial, secret, account, binaries)
            self._write_password(password)
            partial.rename(data)
        finally:
            shutil.rmtree(partial, ignore_errors=True)

    def _run_initdb(self, data: Path, secret: Path, account: Account, binaries: Binaries) -> None:
        throw_away = ["--no-sync"] if self._settings.get("fsync") == "off" else []
        done = account.run(
            [
                binaries.program("initdb"),
                f"--pgdata={data}",
                f"--username={SUPERUSER}",
                f"--pwfile={secret}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                # Text sorts by code point, as in Python, on every machine.
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                *throw_away,
            ]
        )
        if done.returncode != 0:
            raise self._failure("The cluster could not be made", done.stdout.decode(errors="replace"))

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
        if postmaster(data, cluster.mark) is not None and _wait(lambda: self._serves(cluster), _START_SECONDS):
            return
        _clear_remains(data, cluster.mark)
        output = ""
        for _ in range(_START_ATTEMPTS):
            cluster = self._record(cluster.on_port(_free_port(cluster.port)))
            output = self._run_server(cluster, account, binaries)
            if self._serves(cluster):
                return
            _clear_remains(data, cluster.mark)
            if "Address already in use" not in output:
                break
        raise self._failure("The server did not start", output)

    def _run_server(self, cluster: ClusterFile, account: Account, binaries: Binaries) -> str:
        """Run `pg_ctl start`, which returns when the server is ready or dead; return what it logged meanwhile."""
        options = " ".join(shlex.quote(f"--{name}={value}") for name, value in self._options(cluster).items())
        with self._open_log() as log:
            begin = log.tell()
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
        with self._log.open("rb") as written:
            written.seek(begin)
            return written.read().decode(errors="replace")

    def _open_log(self) -> IO[bytes]:
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT:
            self._log.replace(self._log.with_suffix(".log.old"))
        log = self._log.open("ab")
        log.seek(0, os.SEEK_END)
        return log

    def _options(self, cluster: ClusterFile) -> dict[str, str]:
        return {
            **server_settings(),
            **self._settings,
            "listen_addresses": HOST,
            "port": str(cluster.port),
            "unix_socket_directories": "",
            MARK_SETTING: cluster.mark,
        }

    def _failure(self, what: str, output: str) -> LocalStackError:
        tail = "\n".join(output.strip().splitlines()[-_LOG_TAIL:])
        return LocalStackError(
            f"{what}:\n{tail}\n", where=str(self.folder), remedy=_remedy(output, f"Read {self._log}.")
        )


def _remedy(output: str, otherwise: str) -> str:
    if "No space left on device" in output and "shared memory" not in output:
        return "Free disk space, then start again."
    if "shared memory" in output:
        return "Give the container more shared memory (docker run --shm-size=1g) or free some, then start again."
    return otherwise


@contextmanager
def _secret_file(folder: Path, text: str, account: Account) -> Iterator[Path]:
    """Yield a file only the account can read, for a program that takes a secret; it is deleted at the end."""
    handle, name = tempfile.mkstemp(prefix=".secret.", dir=folder)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        account.own(Path(name))
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


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


def _wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _halt(data: Path, mark: str) -> None:
    """Fast shutdown; immediate when that takes too long, and the kill of whatever is left at last."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        process = postmaster(data, mark)
        if process is None:
            break
        with suppress(psutil.NoSuchProcess):
            process.send_signal(how)
        if _wait(lambda: postmaster(data, mark) is None, _STOP_SECONDS):
            break
    _clear_remains(data, mark)


def _clear_remains(data: Path, mark: str) -> None:
    """Let the children of a dead postmaster end, kill those that do not, and remove its stale pid file.

    PostgreSQL would otherwise refuse to start: over living children, and over a pid that another program has now.
    """
    if not _wait(lambda: not server_processes(mark), _ORPHAN_SECONDS):
        for process in server_processes(mark):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _wait(lambda: not server_processes(mark), _STOP_SECONDS)
    (data / "postmaster.pid").unlink(missing_ok=True)


def _remove_orphan(data: Path) -> None:
    """Delete a cluster that nobody can log in to any more, ending the server that may still run on it."""
    for mark in marks_on(data):
        for process in server_processes(mark):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _clear_remains(data, mark)
    shutil.rmtree(data, ignore_errors=True)
