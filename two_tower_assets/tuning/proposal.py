"""The winner's settings as a change of the settings file, for a person to review and to apply.

Nothing is applied here. A line that sets a changed key is rewritten in place, and every other line stays; where the
file is too unusual for that, the whole is written anew.
"""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable
from typing import Any, Final

from two_tower_assets.errors import SettingsError
from two_tower_assets.settings import Settings, as_toml, parse_settings
from two_tower_assets.tuning.records import Change
from two_tower_assets.tuning.space import Dimension, value_of, with_values

_TABLE: Final = re.compile(r"^\s*\[([\w.]+)\]")


def changes_between(space: Iterable[Dimension], current: Settings, winner: Settings) -> tuple[Change, ...]:
    """Every searched setting that differs."""
    keys = [dimension.key for dimension in space]
    return tuple(
        Change(key=key, before=value_of(current, key), after=value_of(winner, key))
        for key in keys
        if value_of(current, key) != value_of(winner, key)
    )


def proposed_file(text: str, changes: Iterable[Change], current: Settings) -> str:
    """The settings file as it would be.

    Args:
        text: of the file as it is; empty where there is none.
        changes: what is other.
        current: what that file means.
    """
    listed = tuple(changes)
    lines = text.splitlines()
    for change in listed:
        lines = _set(lines, *change.key.split(".", 1), value=change.after)
    edited = "\n".join(lines) + "\n"
    wanted = with_values(current, {change.key: change.after for change in listed})
    return edited if _means(edited, wanted) else as_toml(wanted)


def as_diff(before: str, after: str, name: str) -> str:
    """A unified diff that `git apply` and `patch -p1` take."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, f"a/{name}" if before else "/dev/null", f"b/{name}"))


def _set(lines: list[str], table: str, name: str, *, value: Any) -> list[str]:
    written = f"{name} = {json.dumps(value)}"
    start = next((at for at, line in enumerate(lines) if _table_of(line) == table), None)
    if start is None:
        return [*lines, *([""] if lines else []), f"[{table}]", written]
    end = next((at for at in range(start + 1, len(lines)) if _table_of(lines[at])), len(lines))
    for at in range(start + 1, end):
        if re.match(rf"\s*{name}\s*=", lines[at]):
            return [*lines[:at], written, *lines[at + 1 :]]
    while not lines[end - 1].strip():
        end -= 1
    return [*lines[:end], written, *lines[end:]]


def _table_of(line: str) -> str | None:
    found = _TABLE.match(line)
    return found[1] if found else None


def _means(text: str, settings: Settings) -> bool:
    try:
        return parse_settings(tomllib.loads(text), where="tuning") == settings
    except (tomllib.TOMLDecodeError, SettingsError):
        return False
