"""The nearest known key to one that was misspelt."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from two_tower_assets.settings.tables import Settings


def suggestion(keys: list[str]) -> str:
    """What may have been meant by an unknown `table.key` of the settings; see `nearest`."""
    known = {name: name for name in Settings.model_fields}
    for table, field in Settings.model_fields.items():
        assert isinstance(field.annotation, type)
        known |= {f"{table}.{name}": f"{table}.{name}" for name in field.annotation.model_fields}
        if len(keys) > 1 and table == keys[0]:
            known |= {name: f"{table}.{name}" for name in field.annotation.model_fields}
    return nearest(".".join(keys), known)


def nearest(key: str, known: Mapping[str, str]) -> str:
    """What may have been meant by an unknown key, as the end of a sentence; empty where nothing is near.

    Args:
        key: with its tables, joined by dots.
        known: from each spelling that is compared to the key that it stands for.
    """
    near = difflib.get_close_matches(key, known, n=1) or difflib.get_close_matches(key.rsplit(".", 1)[-1], known, n=1)
    return f" (did you mean `{known[near[0]]}`?)" if near else ""
