"""Table `[resources]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from two_tower_assets.settings.fields import Strict

DeviceName = Literal["auto", "cpu", "cuda"]


class ResourcesSettings(Strict):
    """What a process may take. Changes how the work is cut up and where it is done, never what is asked of it."""

    memory_limit_mib: Annotated[int, Field(ge=1024)] = 4096
    """Resident memory of one process in MiB. Trials of the evaluation that do not fit beside one another are cut out
    of the history anew whenever they are needed."""
    device: DeviceName = "auto"
    """Where towers are fitted: `cuda` on the card, `cpu` on the processors, `auto` on the card if there is one."""
