"""From the script pipeline's YAML to a `two_tower.toml` that means the same, no key lost silently."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Final

from pydantic import ValidationError

from two_tower_assets.errors import SettingsError
from two_tower_assets.settings.script_pipeline.document import Entry, read_entries
from two_tower_assets.settings.script_pipeline.keys import KEYS, SPELLINGS, TABLES, Carried, Fixed
from two_tower_assets.settings.spelling import nearest
from two_tower_assets.settings.tables import Settings

_DEFAULTS: Final = Settings()
_HEAD: Final = """\
# Converted from the script pipeline's settings. Keys that are not here keep the defaults that `two-tower settings`
# prints; its own defaults were chosen for another loss, so `two-tower evaluate` with and without a line says whether
# to keep it.
"""


def to_toml(content: bytes, *, where: str) -> str:
    """Convert the content of a YAML settings file.

    Args:
        content: of the file.
        where: the file's name for errors.

    Returns:
        Text of a settings file: each key that lives on, with its older name and line above it, and comments about
        those that do not.

    Raises:
        SettingsError: this is not YAML, or a key is unknown, is there twice or has a value that cannot be meant here;
            all such keys are named with their lines.
    """
    entries = read_entries(content, TABLES, where=where)
    problems = [problem for entry in entries for problem in _problems(entry)]
    if problems:
        raise SettingsError("; ".join(problems), where=where, remedy="Correct or remove these lines.")
    return "\n".join([_HEAD, *_carried_lines(entries), *_dropped_lines(entries)])


def _problems(entry: Entry) -> Iterator[str]:
    fate = KEYS.get(entry.key)
    place = f"line {entry.line}: `{entry.key}`"
    if fate is None:
        yield f"{place} is unknown{nearest(entry.key, SPELLINGS)}"
    elif isinstance(fate, Fixed) and (type(entry.value), entry.value) != (type(fate.value), fate.value):
        yield f"{place} = {_shown(entry.value)}: it can only be {fate.value!r}, because {fate.why}"
    elif isinstance(fate, Carried):
        try:
            _check(fate.to, fate.translate(entry.value))
        except ValidationError as error:
            yield f"{place} = {_shown(entry.value)}: {error.errors()[0]['msg']}"
        except ValueError as error:
            yield f"{place} = {_shown(entry.value)}: {error}"


def _check(key: str, value: object) -> None:
    """Hold one value against its setting, without any leniency about types."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a finite number is expected")
    table, name = key.split(".")
    type(getattr(_DEFAULTS, table)).model_validate({name: value}, strict=True)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _carried_lines(entries: tuple[Entry, ...]) -> Iterator[str]:
    tables: dict[str, list[str]] = {}
    for entry in entries:
        fate = KEYS[entry.key]
        if isinstance(fate, Carried):
            table, name = fate.to.split(".")
            note = f"; {fate.note}" if fate.note else ""
            tables.setdefault(table, []).extend(
                [
                    f"# line {entry.line}: {entry.key}{note}",
                    f"{name} = {json.dumps(fate.translate(entry.value))}",
                ]
            )
    for table, lines in tables.items():
        yield from (f"[{table}]", *lines, "")


def _dropped_lines(entries: tuple[Entry, ...]) -> Iterator[str]:
    dropped = [(entry, fate) for entry in entries if not isinstance(fate := KEYS[entry.key], Carried)]
    if dropped:
        yield "# No longer needed:"
        yield from (f"# line {entry.line}: {entry.key}; {fate.why}" for entry, fate in dropped)
