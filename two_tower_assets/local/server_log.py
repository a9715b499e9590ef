"""The server's log, and errors that show its end with advice that fits the cause."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from two_tower_assets.errors import LocalStackError

_TAIL_LINES: Final = 15
_LIMIT: Final = 16 << 20
"""Bytes after which the next start puts the log aside."""


class ServerLog:
    """A file that each run of the server appends to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._aside = path.with_suffix(".log.old")
        self._begin = 0

    @property
    def files(self) -> tuple[Path, Path]:
        """The log, and the older one put aside, whether or not they exist."""
        return self.path, self._aside

    @contextmanager
    def appending(self) -> Iterator[IO[bytes]]:
        """Open the log for a run; what an earlier one wrote stays, unless it grew too long."""
        if self.path.exists() and self.path.stat().st_size > _LIMIT:
            self.path.replace(self._aside)
        with self.path.open("ab") as log:
            self._begin = log.tell()
            yield log

    def latest(self) -> str:
        """Return what was written since the log was last opened here."""
        with self.path.open("rb") as log:
            log.seek(self._begin)
            return log.read().decode(errors="replace")

    def end(self) -> str:
        """Return the last lines, whoever wrote them."""
        lines = self.path.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join(lines[-_TAIL_LINES:])

    def failure(self, what: str, output: str) -> LocalStackError:
        """Make an error from the output of a program that failed."""
        tail = "\n".join(output.strip().splitlines()[-_TAIL_LINES:])
        remedy = remedy_for(output, otherwise=f"Read {self.path}.")
        return LocalStackError(f"{what}:\n{tail}\n", where=str(self.path.parent), remedy=remedy)


def remedy_for(output: str, *, otherwise: str) -> str:
    """Return advice for a full disk and for missing shared memory."""
    if "No space left on device" in output and "shared memory" not in output:
        return "Free disk space, then start again."
    if "shared memory" in output:
        return "Give the container more shared memory (docker run --shm-size=1g) or free some, then start again."
    return otherwise
