"""Users whose window was over at an earlier look, kept in a file so that a later look reads only those after them.

A decision that reaches the database later than its user's window ends is missed by what was kept; a look without
anything kept (the command line's) reads everything anew.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path

import numpy as np

from two_tower_assets.experiments.readout.rows import LeftOut, ReadUsers
from two_tower_assets.experiments.readout.users import Users


@dataclass(frozen=True)
class Kept:
    """What an earlier look read."""

    until: datetime
    """End of the last window that is in it, UTC."""
    read: ReadUsers


def save(kept: Kept, file: Path) -> None:
    """Write as NumPy's archive of plain arrays."""
    columns = {field.name: getattr(kept.read.users, field.name) for field in fields(Users)}
    counts = np.array(kept.read.left_out.counts())
    np.savez_compressed(file, **columns, left_out=counts, until=np.array(kept.until.isoformat()))


def load(file: Path) -> Kept:
    """Read what `save` wrote."""
    with np.load(file, allow_pickle=False) as stored:
        users = Users(**{field.name: stored[field.name] for field in fields(Users)})
        left_out = LeftOut(*(int(count) for count in stored["left_out"]))
        return Kept(datetime.fromisoformat(str(stored["until"])), ReadUsers(users, left_out))
