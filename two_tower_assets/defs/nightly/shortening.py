"""A recipe small enough for dozens of nights in one sitting, and how it differs from the one that is set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from two_tower_assets.settings import Settings

_SMALL: Final[dict[str, dict[str, Any]]] = {
    "model": {"heads": 1, "hidden": (64,)},
    "training": {"schedules": (150,), "batch_size": 256, "catalogue_negatives": 256},
}


def shortened(settings: Settings) -> Settings:
    """Return settings with narrow towers and one short schedule; protocol, gate and release stay as they are set."""
    return settings.model_copy(
        update={table: getattr(settings, table).model_copy(update=values) for table, values in _SMALL.items()}
    )


def differences(used: Settings, given: Settings) -> Iterator[str]:
    """Say each value that differs, as `table.key = value instead of value`."""
    for table, values in used:
        other = getattr(given, table)
        for name in type(values).model_fields:
            ours, theirs = getattr(values, name), getattr(other, name)
            if ours != theirs:
                yield f"{table}.{name} = {ours} instead of {theirs}"
