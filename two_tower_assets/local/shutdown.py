"""Ending a cluster's processes: politely, then firmly, and what a crash left of them."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil

from two_tower_assets.local.processes import marks_on, postmaster, server_processes

_STOP_SECONDS: Final = 60
_ORPHAN_SECONDS: Final = 1
"""Idle children of a dead postmaster end at once; those that compute do not notice, and are killed."""


def wait_for(condition: Callable[[], bool], seconds: float) -> bool:
    """Poll a condition until it holds or the time is over; returns whether it holds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def halt(data: Path, mark: str) -> None:
    """Fast shutdown; immediate when that takes too long, and the kill of whatever is left at last."""
    for how in (signal.SIGINT, signal.SIGQUIT):
        process = postmaster(data, mark)
        if process is None:
            break
        with suppress(psutil.NoSuchProcess):
            process.send_signal(how)
        if wait_for(lambda: postmaster(data, mark) is None, _STOP_SECONDS):
            break
    clear_remains(data, mark)


def clear_remains(data: Path, mark: str) -> None:
    """Let the children of a dead postmaster end, kill those that do not, and remove its stale pid file.

    PostgreSQL would otherwise refuse to start: over living children, and over a pid that another program has now.
    """
    if not wait_for(lambda: not server_processes(mark), _ORPHAN_SECONDS):
        for process in server_processes(mark):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        wait_for(lambda: not server_processes(mark), _STOP_SECONDS)
    (data / "postmaster.pid").unlink(missing_ok=True)


def remove_orphan(data: Path) -> None:
    """Delete a cluster that nobody can log in to any more, ending the server that may still run on it."""
    for mark in marks_on(data):
        for process in server_processes(mark):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        clear_remains(data, mark)
    shutil.rmtree(data, ignore_errors=True)
