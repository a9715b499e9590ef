"""Settings as text: the form of the settings file, each key with its description."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator

from pydantic import BaseModel

from two_tower_assets.settings.tables import Settings


def as_toml(settings: Settings) -> str:
    """Write settings as a file that `load_settings` reads back, with each key's description above it."""
    lines: list[str] = []
    for table, values in settings:
        lines += [f"[{table}]  # {type(values).__doc__}", *_table_lines(values), ""]
    return "\n".join(lines)


def _table_lines(values: BaseModel) -> Iterator[str]:
    for name, field in type(values).model_fields.items():
        yield from (f"# {line}" for line in inspect.cleandoc(field.description or "").splitlines())
        # JSON writes the strings, numbers, booleans and lists that occur here as TOML does.
        yield f"{name} = {json.dumps(getattr(values, name))}"
