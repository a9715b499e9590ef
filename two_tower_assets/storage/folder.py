"""A local folder as a bucket. Neither the MIME type nor the age for caches is kept: nothing there would read it.

What does not live here: files being written (`partial_files`).
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.bucket import BLOCK_BYTES, AlreadyStored, NotStored, Patience, checked_path, is_partial
from two_tower_assets.storage.partial_files import new_partial, sweep, sync_folder

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
_NO_SUCH_FILE = (FileNotFoundError, NotADirectoryError, IsADirectoryError)


class FolderBucket:
    """Files below `root`. A file appears by one link or rename after its bytes are on the disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.patience = Patience()

    def __repr__(self) -> str:
        return f"FolderBucket({str(self.root)!r})"

    @property
    def url(self) -> str:
        """The folder."""
        return str(self.root)

    def create(self, path: str, source: Path, *, max_age: int, content_type: str) -> None:
        """Store a file where there is none."""
        del max_age, content_type
        target = self._target(path)
        if target.exists():
            raise _already_stored(target)
        self._write(target, source, _appear_new)

    def replace(self, path: str, source: Path, *, max_age: int, content_type: str) -> None:
        """Store a file whether or not there is one."""
        del max_age, content_type
        self._write(self._target(path), source, os.replace)

    def read(self, path: str) -> Iterator[bytes]:
        """Yield a file's bytes."""
        target = self._target(path)
        with _disk_errors(target, "read"):
            try:
                file = target.open("rb")
            except _NO_SUCH_FILE:
                raise NotStored(
                    "The file is not stored", where=str(target), remedy="Publish its version again."
                ) from None
            with file:
                while block := file.read(BLOCK_BYTES):
                    yield block

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the sizes of all files below a folder."""
        top = self.root / prefix
        found: dict[str, int] = {}
        with _disk_errors(top, "listed"):
            for folder, _, names in os.walk(top, onerror=_unless_gone):
                for name in filter(lambda name: not is_partial(name), names):
                    path = Path(folder) / name
                    try:
                        found[path.relative_to(self.root).as_posix()] = path.stat().st_size
                    except FileNotFoundError:
                        continue  # removed since the folder was read
        return found

    def remove(self, paths: Sequence[str]) -> None:
        """Delete files, and folders left empty."""
        for path in paths:
            target = self._target(path)
            with _disk_errors(target, "removed"):
                try:
                    target.unlink()
                except _NO_SUCH_FILE:
                    continue
                sync_folder(target.parent)
                self._remove_empty(target.parent)

    def public_url(self, path: str) -> str:
        """Return a `file://` URL."""
        return (self.root.absolute() / checked_path(path)).as_uri()

    def _target(self, path: str) -> Path:
        return self.root / checked_path(path)

    def _write(self, target: Path, source: Path, appear: Callable[[Path, Path], None]) -> None:
        with _disk_errors(target, "written"):
            with new_partial(target) as partial, source.open("rb") as original:
                with partial.open("wb") as file:
                    shutil.copyfileobj(original, file, BLOCK_BYTES)
                    file.flush()
                    os.fsync(file.fileno())
                appear(partial, target)
            sync_folder(target.parent)
            sweep(target.parent)

    def _remove_empty(self, folder: Path) -> None:
        while folder != self.root and self.root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                return  # not empty, or already gone
            folder = folder.parent


def _appear_new(partial: Path, target: Path) -> None:
    try:
        # A link, and not a rename, since it fails where a file is.
        os.link(partial, target)
    except FileExistsError:
        raise _already_stored(target) from None


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


@contextmanager
def _disk_errors(target: Path, done: str) -> Iterator[None]:
    """Say in words for people why a disk refused."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            free = shutil.disk_usage(_existing(target)).free
            raise StorageError(
                f"The disk is full, {free} bytes are left: the file could not be {done}, and nothing of it is kept",
                where=str(target),
                remedy="Make room there, or name another folder in TWO_TOWER_STORAGE_URL, then publish again.",
            ) from None
        raise StorageError(
            f"The file could not be {done}: {error.strerror}",
            where=str(error.filename or target),
            remedy="See that the folder exists, belongs to you and is on a file system with hard links.",
        ) from None


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _already_stored(target: Path) -> AlreadyStored:
    return AlreadyStored(
        "There is a file already, and it is written once and never changed",
        where=str(target),
        remedy="Publish under a new version.",
    )
