"""Is there room for the next run?"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from two_tower_assets.doctor.finding import Finding, ok, problem, warning

GIB: Final = 1 << 30
LEAST: Final = 1 * GIB
"""A run of the sample needs less; index builds and checkpoints of bigger data do not fit into less."""
COMFORTABLE: Final = 5 * GIB


def look_at_disk(folder: Path, *, least: int = LEAST, comfortable: int = COMFORTABLE) -> Iterator[Finding]:
    """Compare the free bytes where a folder is, or will be, with what runs need."""
    place = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(place).free
    said = f"{free / GIB:.1f} GiB free"
    remedy = "Free space, or move the home: set TWO_TOWER_HOME to a folder on a bigger disk."
    if free < least:
        yield problem(f"{said}, and runs need {least / GIB:.1f}", where=str(folder), remedy=remedy)
    elif free < comfortable:
        yield warning(f"{said}: room for few versions", where=str(folder), remedy=remedy)
    else:
        yield ok(said, where=str(folder))
