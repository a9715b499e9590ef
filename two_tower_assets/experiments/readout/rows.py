"""Questions to Postgres, one pass each; what a look costs grows with the lists served, not with the looks before.

Users of consecutive spans of time (`read_users`, `read_credits`) add up, so that what was read need never be read
again (`kept`); entries and what was shown are read whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from psycopg.rows import TupleRow

from two_tower_assets.database.queries import query
from two_tower_assets.experiments.moments import Numbers
from two_tower_assets.experiments.readout.plan import Plan
from two_tower_assets.experiments.readout.users import Users
from two_tower_assets.experiments.registry import Connection

CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""A decision may seem so much older than the list that showed the video: clocks are not all the same."""

ALWAYS: Final = "-infinity"


@dataclass(frozen=True)
class LeftOut:
    """What is not part of any figure, and what was taken in with a doubt."""

    switched: int = 0
    """Users who were served by two arms before their window was over, as after a merge of accounts."""
    overlapping: int = 0
    """Users who another experiment served before their window was over."""
    unexposed: int = 0
    """Decisions on videos that no list of the experiment had shown the user by then; not attributed."""
    early: int = 0
    """Decisions older than the list by less than `CLOCK_TOLERANCE`; attributed."""

    def __add__(self, other: LeftOut) -> LeftOut:
        """Add up several reads."""
        return LeftOut(*(one + two for one, two in zip(self.counts(), other.counts(), strict=True)))

    def counts(self) -> tuple[int, int, int, int]:
        """All of them."""
        return self.switched, self.overlapping, self.unexposed, self.early


@dataclass(frozen=True)
class Credits:
    """Rows [C] of an interleaving's users who are alike: LIKEs of each by team."""

    day: NDArray[np.datetime64]
    users: Numbers
    control: Numbers
    arm: Numbers


@dataclass(frozen=True)
class Entry:
    """An arm's day."""

    arm: str
    day: date
    users: int
    """Who were served by the experiment for the first time."""
    lists: int
    places: int
    control_began: int = 0
    """Lists of an interleaving that the control's pick stood first in."""
    arm_began: int = 0


@dataclass(frozen=True)
class Shown:
    """What groups of equally many users were shown, by arm: float64, one entry a group."""

    group_size: int
    coverage: dict[str, Numbers]
    maker_concentration: dict[str, Numbers]


@dataclass(frozen=True)
class ReadUsers:
    """Users whose window is over, and who was left out."""

    users: Users
    left_out: LeftOut

    def __add__(self, later: ReadUsers) -> ReadUsers:
        """Join the read of a later span."""
        return ReadUsers(Users.joined([self.users, later.users]), self.left_out + later.left_out)


def read_users(connection: Connection, plan: Plan, *, until: datetime, after: datetime | str = ALWAYS) -> ReadUsers:
    """Read the users whose window was over after one moment and not after another."""
    asked = {**_span(plan, until, after), "before": plan.before}
    rows = _rows(connection, "experiment_users", asked)
    kept = [row for row in rows if not (row[2] or row[3])]
    arm, day, _, _, likes, decisions, likes_before, decisions_before, users, _, _ = _columns(kept, 11)
    numbers = [np.array(column, np.float64) for column in (users, likes, decisions, likes_before, decisions_before)]
    left_out = LeftOut(
        switched=sum(row[8] for row in rows if row[2]),
        overlapping=sum(row[8] for row in rows if row[3] and not row[2]),
        unexposed=sum(row[10] for row in kept),
        early=sum(row[9] for row in kept),
    )
    return ReadUsers(Users(np.array(arm, np.str_), np.array(day, "datetime64[D]"), *numbers), left_out)


def read_credits(
    connection: Connection, plan: Plan, *, until: datetime, after: datetime | str = ALWAYS
) -> tuple[Credits, LeftOut]:
    """Read an interleaving's users, as `read_users`."""
    rows = _rows(connection, "experiment_credits", _span(plan, until, after))
    kept = [row for row in rows if not row[1]]
    day, _, control, arm, users, early, unexposed = _columns(kept, 7)
    numbers = [np.array(column, np.float64) for column in (users, control, arm)]
    left_out = LeftOut(overlapping=sum(row[4] for row in rows if row[1]), unexposed=sum(unexposed), early=sum(early))
    return Credits(np.array(day, "datetime64[D]"), *numbers), left_out


def read_entries(connection: Connection, plan: Plan, *, until: datetime) -> list[Entry]:
    """Read who entered when, arm by arm."""
    asked = {"experiment": plan.name, "until": until}
    return [Entry(*row) for row in _rows(connection, "experiment_entries", asked)]


def read_ahead(connection: Connection, plan: Plan) -> int:
    """Count lists that are said to have been served in the future."""
    return int(_rows(connection, "experiment_ahead", {"experiment": plan.name})[0][0])


def read_shown(connection: Connection, plan: Plan, *, until: datetime, group_size: int) -> Shown:
    """Read what groups of so many users were shown."""
    asked = {"experiment": plan.name, "until": until, "group_size": group_size}
    rows = _rows(connection, "experiment_shown", asked)
    arms = [arm.name for arm in plan.arms]

    def by_arm(value: int, whole: int | None = None) -> dict[str, Numbers]:
        return {
            arm: np.array([row[value] / (row[whole] if whole else 1) for row in rows if row[0] == arm], np.float64)
            for arm in arms
        }

    return Shown(group_size, by_arm(2, 4), by_arm(3))


def _span(plan: Plan, until: datetime, after: datetime | str) -> dict[str, Any]:
    return {
        "experiment": plan.name,
        "after": after,
        "until": until,
        "attribution": plan.attribution,
        "tolerance": CLOCK_TOLERANCE,
    }


def read_now(connection: Connection) -> datetime:
    """The server's time, which lists and decisions are stamped with."""
    (now,) = connection.execute("select now()").fetchone() or ()
    return cast("datetime", now)


def _rows(connection: Connection, name: str, parameters: dict[str, Any]) -> list[TupleRow]:
    return connection.execute(query(name), parameters).fetchall()


def _columns(rows: list[TupleRow], count: int) -> list[list[Any]]:
    """Turn rows into columns, also when there are none."""
    return [[row[place] for row in rows] for place in range(count)]
