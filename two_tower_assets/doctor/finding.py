"""What one look at a set-up has found: how bad it is, what, where, and the next step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["ok", "warning", "problem", "unused"]
Fix = Callable[[], str]
"""Mends something that cannot be made worse by it, and returns what it did."""


@dataclass(frozen=True)
class Finding:
    """One thing that was found."""

    level: Level
    what: str
    where: str | None = None
    remedy: str | None = None
    """One command or one sentence; None where there is nothing to do."""
    fix: Fix | None = field(default=None, repr=False, compare=False)
    done: str | None = None
    """What was done about it."""


def ok(what: str, *, where: str | None = None) -> Finding:
    """Return a finding that all is well."""
    return Finding("ok", what, where)


def unused(what: str, *, where: str | None = None) -> Finding:
    """Return a finding that there is nothing to look at, and why."""
    return Finding("unused", f"not used here: {what}", where)


def warning(what: str, *, where: str | None = None, remedy: str, fix: Fix | None = None) -> Finding:
    """Return what goes on working, for now or with a loss."""
    return Finding("warning", what, where, remedy, fix)


def problem(what: str, *, where: str | None = None, remedy: str, fix: Fix | None = None) -> Finding:
    """Return what does not work."""
    return Finding("problem", what, where, remedy, fix)
