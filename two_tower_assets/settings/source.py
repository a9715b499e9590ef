"""Table `[source]`."""

from __future__ import annotations

from typing import Literal

from two_tower_assets.settings.fields import Strict


class SourceSettings(Strict):
    """Where the rows come from."""

    kind: Literal["auto", "sample", "folder", "postgres", "supabase"] = "auto"
    """`auto`: the folder TWO_TOWER_DATA when set, else the project SUPABASE_URL when its key is set too and
    TWO_TOWER_DATABASE_URL is not its own database, else the rows in TWO_TOWER_DATABASE_URL when set, else a sample.
    TWO_TOWER_SOURCE overrides it."""
