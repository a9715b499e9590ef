"""What a bucket is: files by path, created once or replaced whole; and the three errors that callers tell apart.

What does not live here: the kinds of bucket (`folder`, `remote`, `supabase_bucket`) and moving many files
(`transfer`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from two_tower_assets.errors import StorageError

BLOCK_BYTES: Final = 1 << 20


class AlreadyStored(StorageError):  # noqa: N818 - named by the state it tells of
    """A file was to be created where there is one."""

    code = "already_stored"


class NotStored(StorageError):  # noqa: N818 - same
    """A file was to be read where there is none."""

    code = "not_stored"


class Unavailable(StorageError):  # noqa: N818 - same
    """The server is busy, broken or out of reach for the moment: the same call may succeed a little later."""

    code = "storage_unavailable"
    passing = True

    def __init__(self, what: str, *, where: str | None = None, remedy: str, retry_after: float | None = None) -> None:
        super().__init__(what, where=where, remedy=remedy)
        self.retry_after = retry_after
        """Seconds that the server asks to be left alone, when it says so."""


@dataclass(frozen=True)
class Patience:
    """How long a passing fault is waited out. Waits double from the first to the longest, with jitter."""

    attempts: int = 6
    seconds: float = 180.0
    """No attempt begins later than this after the first."""
    first_wait: float = 0.25
    longest_wait: float = 10.0


class Bucket(Protocol):
    """Files by path such as `two-tower/v3/current/manifest.json`. Safe to call from several threads.

    A reader sees a file whole or not at all, whatever happens to its writer. Every method raises `StorageError`
    when the bucket cannot be reached or refuses, after passing faults were waited out.
    """

    @property
    def url(self) -> str:
        """Where the bucket is, for people; without secrets."""

    @property
    def patience(self) -> Patience:
        """How long passing faults are waited out."""

    def create(self, path: str, source: Path, *, max_age: int, content_type: str) -> None:
        """Store a file where there is none.

        Args:
            path: where to.
            source: the local file.
            max_age: seconds that caches may keep it.
            content_type: its MIME type.

        Raises:
            AlreadyStored: the path exists. It was not touched.
        """

    def replace(self, path: str, source: Path, *, max_age: int, content_type: str) -> None:
        """Store a file whether or not there is one; readers see the old bytes or the new ones."""

    def read(self, path: str) -> Iterator[bytes]:
        """Yield a file's bytes in blocks of about `BLOCK_BYTES`.

        `Unavailable` may come between two blocks, for what was handed out cannot be taken back: `reading` starts
        over by itself.

        Raises:
            NotStored: there is no such file; raised when the first block is asked for.
        """

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the sizes in bytes of ALL files below the folder `prefix`, by their full path."""

    def remove(self, paths: Sequence[str]) -> None:
        """Delete files. Those that are not there are passed over."""

    def public_url(self, path: str) -> str:
        """Return the URL at which clients read the path. It need not exist."""


def checked_path(path: str) -> str:
    """Return the path when every kind of bucket can store it under exactly that name.

    Raises:
        StorageError: it is empty or absolute, has empty, dot or hidden half-written segments, or holds a character
            that a URL changes.
    """
    segments = path.split("/")
    if any(segment in {"", ".", ".."} for segment in segments) or any(letter in path for letter in "%\\?#\0"):
        raise StorageError(
            f"{path!r} cannot be the path of a stored file",
            where="MODEL_ARTIFACTS_PREFIX",
            remedy="Use names joined by single slashes, without %, ?, # and backslashes.",
        )
    if is_partial(segments[-1]):
        raise StorageError(f"{path!r} is named like a file half written", remedy="Use a name without a leading dot.")
    return path


def is_partial(name: str) -> bool:
    """Tell whether a file name is that of a file being written, or left half written."""
    return name.startswith(".") and name.endswith(".partial")
