"""The operating-system account that the server runs as: our own, or a harmless one when we are root.

PostgreSQL refuses to run as root. What does not live here: Postgres roles and passwords (`postgres`).
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from two_tower_assets.errors import LocalStackError

PREFERRED: Final = ("postgres", "nobody")
"""Accounts tried, in order, when this process is root."""

# Nothing of the caller's: LD_LIBRARY_PATH, PG… and locale variables would change how the programs behave.
_ENVIRONMENT: Final = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True)
class Account:
    """Whom the server's programs run as; `uid` None means: as this process."""

    uid: int | None = None
    gid: int | None = None

    def run(
        self,
        command: Sequence[str | Path],
        *,
        stdout: int | IO[bytes] = subprocess.PIPE,
        stderr: int | IO[bytes] = subprocess.STDOUT,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end as this account, in a session of its own.

        Raises:
            LocalStackError: the system does not let root become the account.
        """
        identity: dict[str, Any] = {}
        if self.uid is not None:
            identity = {"user": self.uid, "group": self.gid, "extra_groups": []}
        try:
            return subprocess.run(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,
                umask=0o077,
                check=False,
                **identity,
            )
        except PermissionError as error:
            raise LocalStackError(
                f"A program of the embedded PostgreSQL cannot be run as uid {self.uid}: {error}",
                where=str(command[0]),
                remedy="Run as an ordinary user, or set TWO_TOWER_DATABASE_URL to a Postgres of yours.",
            ) from None

    def can_enter(self, folder: Path) -> bool:
        """Whether the account can reach an existing folder, asked of the kernel rather than of mode bits."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0

    def can_execute(self, program: Path) -> bool:
        """Whether the account can start a program that answers `--version`."""
        return self.run(["/bin/sh", "-c", 'exec "$1" --version', "sh", program]).returncode == 0

    def own(self, path: Path) -> None:
        """Give `path` to the account."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def server_account() -> Account:
    """Return our own account, or as root the first of `postgres` and `nobody` that exists.

    Raises:
        LocalStackError: this is root and neither account exists.
    """
    if os.geteuid() != 0:
        return Account()
    for name in PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise LocalStackError(
        "PostgreSQL does not run as root, and there is no account `postgres` or `nobody` to run it as",
        remedy="Run as an ordinary user, or add a system user `postgres`.",
    )
