"""Making the data folder of a new cluster, whole or not at all. What does not live here: running it (`postgres`)."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from two_tower_assets.local.account import Account
from two_tower_assets.local.binaries import Binaries
from two_tower_assets.local.server_log import ServerLog


@contextmanager
def new_data(
    data: Path, *, superuser: str, password: str, sync: bool, account: Account, binaries: Binaries, log: ServerLog
) -> Iterator[None]:
    """Make a cluster's data beside `data`, and move them there when the block ends well.

    Raises:
        LocalStackError: `initdb` failed; nothing is left behind.
    """
    partial = data.with_name(f"{data.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(mode=0o700)
        account.own(partial)
        with _secret_file(data.parent, password, account) as secret:
            done = account.run([binaries.program("initdb"), *_arguments(partial, superuser, secret, sync=sync)])
        if done.returncode != 0:
            raise log.failure("The cluster could not be made", done.stdout.decode(errors="replace"))
        yield
        partial.rename(data)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _arguments(data: Path, superuser: str, secret: Path, *, sync: bool) -> list[str]:
    return [
        f"--pgdata={data}",
        f"--username={superuser}",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        # Text sorts by code point, as in Python, on every machine.
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        *([] if sync else ["--no-sync"]),
    ]


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
