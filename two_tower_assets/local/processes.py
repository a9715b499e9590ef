"""Which operating-system processes belong to a cluster, told by its mark in their command line.

A process id alone proves nothing: after a crash `postmaster.pid` may name a process that is gone, a zombie, or
another program. Working folders would tell too, but root without CAP_SYS_PTRACE (the usual container) cannot read
them across accounts. So every server is started with a `cluster_name` of its own, which PostgreSQL shows in the
title of each of its processes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psutil

MARK_SETTING: Final = "cluster_name"


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


def marks_on(data: Path) -> set[str]:
    """Return the marks of servers that were started on a data folder, whoever started them."""
    arguments = [_arguments(process) for process in psutil.process_iter()]
    option = f"--{MARK_SETTING}="
    return {
        argument.removeprefix(option)
        for command in arguments
        if str(data) in command
        for argument in command
        if argument.startswith(option)
    }


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []


def _is_marked(process: psutil.Process, mark: str) -> bool:
    return mark in " ".join(_arguments(process))


def _arguments(process: psutil.Process) -> list[str]:
    """Return the command line of a Postgres process; empty for any other, and for a zombie, which has none."""
    try:
        arguments: list[str] = process.cmdline() if process.name() == "postgres" else []
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return []
    return arguments
