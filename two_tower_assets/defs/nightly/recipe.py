"""The settings of a replay's nights, small enough for dozens in one sitting, and how they differ from those set."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from two_tower_assets.settings import Settings

_SMALL: Final[dict[str, dict[str, Any]]] = {
    "model": {"heads": 1, "hidden": (64,)},
    "training": {"schedules": (150,), "batch_size": 256, "catalogue_negatives": 256},
}


def replay_settings(settings: Settings, *, full: bool) -> Settings:
    """Return the settings of every night; protocol, gate and release stay as they are set.

    Args:
        settings: as they are set.
        full: leave the recipe as it is, too; otherwise towers are narrow and fitted by one short schedule.
    """
    changes = {} if full else dict(_SMALL)
    if settings.features.feature_source == "rest":
        # A replay has a Postgres of its own, and no project.
        changes["features"] = {"feature_source": "rpc"}
    return settings.model_copy(
        update={table: getattr(settings, table).model_copy(update=values) for table, values in changes.items()}
    )


def differences(used: Settings, given: Settings) -> Iterator[str]:
    """Say each value that differs, as `table.key = value instead of value`."""
    for table, values in used:
        other = getattr(given, table)
        for name in type(values).model_fields:
            ours, theirs = getattr(values, name), getattr(other, name)
            if ours != theirs:
                yield f"{table}.{name} = {ours} instead of {theirs}"
