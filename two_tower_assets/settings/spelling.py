"""The nearest known key to one that was misspelt."""

from __future__ import annotations

import difflib

from two_tower_assets.settings.tables import Settings


def suggestion(keys: list[str]) -> str:
    """What may have been meant by an unknown `table.key`, as the end of a sentence; empty where nothing is near."""
    known = {name: name for name in Settings.model_fields}
    for table, field in Settings.model_fields.items():
        assert isinstance(field.annotation, type)
        known |= {f"{table}.{name}": f"{table}.{name}" for name in field.annotation.model_fields}
        if len(keys) > 1 and table == keys[0]:
            known |= {name: f"{table}.{name}" for name in field.annotation.model_fields}
    near = difflib.get_close_matches(".".join(keys), known, n=1) or difflib.get_close_matches(keys[-1], known, n=1)
    return f" (did you mean `{known[near[0]]}`?)" if near else ""
