"""Users whose window was over at an earlier look, kept in a file so that a later look reads only those after them.

What reaches the database later than `LATENESS` after its user's window is missed by what was kept; a look without
anything kept (the command line's) reads everything anew.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Self

import numpy as np

from two_tower_assets.experiments.readout.plan import Plan
from two_tower_assets.experiments.readout.rows import LeftOut, ReadUsers, read_users
from two_tower_assets.experiments.readout.users import Users
from two_tower_assets.experiments.registry import Connection

LATENESS: Final = timedelta(days=1)
"""Windows that ended so long ago are settled: phones without a network send their decisions late."""


@dataclass(frozen=True)
class Kept:
    """What an earlier look read."""

    until: datetime
    """End of the last window that is in it, UTC."""
    read: ReadUsers

    @classmethod
    def joined(cls, earlier: Kept | None, connection: Connection, plan: Plan, *, until: datetime) -> Self:
        """Read what came after an earlier look, or everything; the result ends at `until`."""
        if earlier is None:
            return cls(until, read_users(connection, plan, until=until))
        return cls(until, earlier.read + read_users(connection, plan, until=until, after=earlier.until))


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
