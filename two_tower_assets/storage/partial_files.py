"""Files being written in a folder: hidden, locked while their writer lives, and swept once it is dead."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from two_tower_assets.storage.bucket import is_partial


@contextmanager
def new_partial(target: Path) -> Iterator[Path]:
    """Yield a new empty file beside `target` under a hidden name, which vanishes when the block ends.

    Folders missing above are made. The file is locked, so that `sweep` of another writer lets it be.
    """
    handle, partial = _locked_partial(target)
    try:
        yield partial
    finally:
        partial.unlink(missing_ok=True)
        os.close(handle)


def sweep(folder: Path) -> None:
    """Delete what writers that were killed left half written in a folder."""
    for path in folder.iterdir():
        if is_partial(path.name):
            _delete_when_dead(path)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names onto the disk, so that a power cut does not undo a link or a rename."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _locked_partial(target: Path) -> tuple[int, Path]:
    while True:
        _make_folder(target.parent)
        try:
            handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".partial", dir=target.parent)
        except FileNotFoundError:
            continue  # somebody removed the folder, empty as it was
        fcntl.flock(handle, fcntl.LOCK_EX)
        # Another writer's sweep may have come between making and locking it.
        if os.fstat(handle).st_nlink:
            os.fchmod(handle, 0o644)
            return handle, Path(name)
        os.close(handle)


def _make_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    sync_folder(folder.parent)


def _delete_when_dead(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDWR)
    except (FileNotFoundError, PermissionError):
        return  # gone, or another account's to sweep
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink(missing_ok=True)
    except BlockingIOError:
        return  # its writer lives
    finally:
        os.close(handle)
