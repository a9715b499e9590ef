"""Which operating-system processes belong to a cluster, told by its mark in their command line.

A process id alone proves nothing: after a crash `postmaster.pid` may name a process that is gone, a zombie, or
another program. Working folders would tell too, but root without CAP_SYS_PTRACE (the usual container) cannot read
them across accounts. So every server is started with a `cluster_name` of its own, which PostgreSQL shows in the
title of each of its processes.
"""

from __future__ import annotations

from pathlib import Path

import psutil


def postmaster(data: Path, mark: str) -> psutil.Process | None:
    """Return the running postmaster that `postmaster.pid` in `data` names, or None."""
    lines = _pid_file(data)
    if not lines or not lines[0].isdigit():
        return None
    try:
        process = psutil.Process(int(lines[0]))
    except psutil.NoSuchProcess:
        return None
    return process if _is_marked(process, mark) else None


def is_ready(data: Path) -> bool:
    """Whether the pid file says that the server accepts connections (the last of its eight lines)."""
    lines = _pid_file(data)
    return len(lines) >= 8 and lines[7].strip() == "ready"


def server_processes(mark: str) -> list[psutil.Process]:
    """Return all living server processes of the cluster, orphans of a killed postmaster included."""
    return [process for process in psutil.process_iter() if _is_marked(process, mark)]


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _is_marked(process: psutil.Process, mark: str) -> bool:
    try:
        # A zombie has no command line any more, so it does not count as living.
        return process.name() == "postgres" and mark in " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return False
