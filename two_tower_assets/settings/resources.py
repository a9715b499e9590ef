"""Table `[resources]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from two_tower_assets.settings.fields import Strict


class ResourcesSettings(Strict):
    """What a process may take. Changes how the work is cut up, never what comes of it."""

    memory_limit_mib: Annotated[int, Field(ge=1024)] = 4096
    """Resident memory of one process in MiB. Trials of the evaluation that do not fit beside one another are cut out
    of the history anew whenever they are needed."""
