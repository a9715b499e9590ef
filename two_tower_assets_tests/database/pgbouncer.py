"""A real PgBouncer before a test's database, in any of its modes."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from two_tower_assets.local.account import server_account
from two_tower_assets_tests.loopback import free_port

_NAMED = Path(os.environ.get("TWO_TOWER_PGBOUNCER") or shutil.which("pgbouncer") or "pgbouncer")
_START_SECONDS = 30

needs_pgbouncer = pytest.mark.skipif(
    not _NAMED.is_file(), reason="no PgBouncer (put `pgbouncer` on PATH or set TWO_TOWER_PGBOUNCER)"
)

PASSWORD = "s3cret"  # noqa: S105 - no secret: the pooler takes any


@contextmanager
def pgbouncer(database: str, folder: Path, *, pool_mode: str, pool_size: int = 20, **settings: str) -> Iterator[str]:
    """Run a pooler before the database at a URL; yield the pooler's URL of the same database."""
    port = free_port()
    configuration = folder / f"pgbouncer_{port}.ini"
    configuration.touch(mode=0o600)
    configuration.write_text(_configuration(database, port, pool_mode, pool_size, settings), encoding="utf-8")
    log = folder / f"pgbouncer_{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen([_NAMED, configuration], stdout=output, stderr=output, stdin=subprocess.DEVNULL)
    try:
        url = f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/{conninfo_to_dict(database)['dbname']}"
        _wait(process, url, log)
        yield url
    finally:
        process.kill()
        process.wait()


def _configuration(database: str, port: int, pool_mode: str, pool_size: int, settings: dict[str, str]) -> str:
    server = conninfo_to_dict(database)
    target = " ".join(f"{name}={server[name]}" for name in ("host", "port", "dbname", "user", "password"))
    values = {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "unix_socket_dir": "",
        "auth_type": "any",
        "pool_mode": pool_mode,
        "default_pool_size": str(pool_size),
        **settings,
    }
    account = server_account()
    if account.uid is not None:  # it refuses to run as root, and becomes another by itself
        values["user"] = pwd.getpwuid(account.uid).pw_name
    lines = [f"{name} = {value}" for name, value in values.items()]
    return "\n".join(["[databases]", f"{server['dbname']} = {target}", "[pgbouncer]", *lines, ""])


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(url, connect_timeout=_START_SECONDS).close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(log.read_text(encoding="utf-8")) from None
            time.sleep(0.02)
        else:
            return
