"""The experiments of a serving database: created, started, ramped, stopped and promoted, each with a line in the log.

Each call is one transaction that no other writer of experiments gets into, so that two never share a user. The Edge
Functions follow what is written here. What does not live here: moving the live release, which a promotion also does.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final

import psycopg
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from two_tower_assets.database.queries import query
from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.admission import choose_slice, require_free, require_memory, require_servable
from two_tower_assets.experiments.definition import Arm, Experiment
from two_tower_assets.experiments.registered import Registered
from two_tower_assets.experiments.traffic import Slice

Connection = psycopg.Connection[TupleRow]
_WHERE: Final = "public.experiments"


def knows_experiments(connection: Connection) -> bool:
    """Whether experiments can be kept here at all: a database that was migrated long ago has no table of them."""
    return connection.execute(query("experiment_exists")).fetchone() == (True,)


def list_experiments(connection: Connection) -> tuple[Registered, ...]:
    """Every experiment, newest first."""
    return _read(connection, None)


def require(connection: Connection, name: str) -> Registered:
    """Return one experiment.

    Raises:
        ExperimentError: there is none of that name.
    """
    for found in _read(connection, name):
        return found
    known = ", ".join(one.name for one in _read(connection, None)) or "none"
    raise ExperimentError(
        f"There is no experiment {name}",
        where=_WHERE,
        remedy=f"There are: {known}. `two-tower experiment create` adds one.",
    )


def create(connection: Connection, experiment: Experiment, *, note: str | None = None) -> None:
    """Write a draft down; nobody is served by it yet, and its versions' vectors are kept from now on.

    Raises:
        ExperimentError: the name is taken, or an arm's version cannot be served.
    """
    with _writing(connection):
        require_servable(connection, experiment)
        row = {**experiment.model_dump(exclude={"arms"}), "guardrails": list(experiment.guardrails)}
        if connection.execute(query("experiment_create"), row).fetchone() is None:
            raise ExperimentError(
                f"There is an experiment {experiment.name} already",
                where=_WHERE,
                remedy="Take another name; `two-tower experiment discard` frees that of a draft.",
            )
        for place, arm in enumerate(experiment.arms):
            connection.execute(
                query("experiment_arm_create"),
                {
                    "experiment": experiment.name,
                    "arm": arm.name,
                    "place": place,
                    "weight": arm.weight,
                    "model_version": arm.model_version,
                    "ranking": Jsonb(arm.ranking.named()),
                },
            )
        _log(connection, experiment.name, "create", note)


def start(
    connection: Connection, name: str, share: Decimal, *, at: Decimal | None = None, note: str | None = None
) -> Slice:
    """Let a draft run for a share of all users.

    Args:
        connection: to the serving database.
        name: of a draft.
        share: of all users, above 0 and at most 1.
        at: where its slice of the traffic begins; None: where the most room for a ramp is.
        note: kept in the log.

    Raises:
        ExperimentError: it is no draft, a version cannot be served any more, the functions would have to hold more
            versions than they can, or the users belong to a running experiment.
    """
    with _writing(connection):
        found = require(connection, name)
        if found.state != "draft":
            raise ExperimentError(
                f"Experiment {name} was started already" + (" and is stopped" if found.state == "stopped" else ""),
                where=_WHERE,
                remedy="Give it more users with `two-tower experiment ramp`, or create a new one with another name.",
            )
        require_servable(connection, found)
        running = _running(connection)
        require_memory(running, found)
        traffic = choose_slice(running, share, at)
        connection.execute(query("experiment_start"), _bounds(name, traffic))
        _log(connection, name, "start", note)
        return traffic


def ramp(connection: Connection, name: str, share: Decimal, *, note: str | None = None) -> Slice:
    """Give a running experiment more users; those who are in stay in, in their arms.

    Raises:
        ExperimentError: it does not run, the share is no larger than before, or the users belong to another one.
    """
    with _writing(connection):
        found = _require_running(connection, name, "ramped")
        before = found.traffic
        assert before is not None
        if share <= before.share:
            raise ExperimentError(
                f"Experiment {name} has {before.share.normalize():f} of all users, and a ramp only adds some",
                where=_WHERE,
                remedy="Name a larger share. To end it for everybody: `two-tower experiment stop`.",
            )
        traffic = Slice(before.start, before.start + share)
        require_free([one for one in _running(connection) if one.name != name], traffic)
        connection.execute(query("experiment_ramp"), _bounds(name, traffic))
        _log(connection, name, "ramp", note)
        return traffic


def stop(connection: Connection, name: str, *, note: str | None = None) -> None:
    """End a running experiment at once: the database refuses what is asked for it from the next call on.

    Raises:
        ExperimentError: it does not run.
    """
    with _writing(connection):
        _require_running(connection, name, "stopped")
        connection.execute(query("experiment_stop"), {"name": name})
        _log(connection, name, "stop", note)


def discard(connection: Connection, name: str, *, note: str | None = None) -> None:
    """Take a draft away: its name and its versions' vectors are free again.

    Raises:
        ExperimentError: it was started, and stays on record.
    """
    with _writing(connection):
        if require(connection, name).state != "draft":
            raise ExperimentError(
                f"Experiment {name} was started, and stays on record",
                where=_WHERE,
                remedy="`two-tower experiment stop` ends one that runs.",
            )
        connection.execute(query("experiment_discard"), {"name": name})
        _log(connection, name, "discard", note)


def require_stopped_arm(connection: Connection, name: str, arm: str) -> Arm:
    """Return the arm that is to be promoted.

    Raises:
        ExperimentError: there is no such arm, the experiment is not stopped, or another arm was promoted.
    """
    found = require(connection, name)
    chosen = found.arm_called(arm)
    if found.state != "stopped":
        raise ExperimentError(
            f"Experiment {name} " + ("runs" if found.state == "running" else "is a draft"),
            where=_WHERE,
            remedy="Stop it first: `two-tower experiment stop`." if found.state == "running" else "Start it first.",
        )
    if found.promoted_arm not in {None, arm}:
        raise ExperimentError(
            f"Arm {found.promoted_arm} of experiment {name} was promoted already",
            where=_WHERE,
            remedy="Compare the two again in a new experiment, or go back with `two-tower rollback`.",
        )
    return chosen


def record_promotion(connection: Connection, name: str, arm: str, *, note: str | None = None) -> None:
    """Note which arm was taken.

    Raises:
        ExperimentError: as `require_stopped_arm`.
    """
    with _writing(connection):
        require_stopped_arm(connection, name, arm)
        connection.execute(query("experiment_promoted"), {"name": name, "arm": arm})
        _log(connection, name, "promote", f"arm {arm}" + (f": {note}" if note else ""))


def exposures(connection: Connection, name: str) -> dict[str, tuple[int, int]]:
    """Return users and lists that each arm has had."""
    rows = connection.execute(query("experiment_exposures"), {"name": name}).fetchall()
    return {arm: (users, lists) for arm, users, lists in rows}


def _read(connection: Connection, name: str | None) -> tuple[Registered, ...]:
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query("experiments"), {"name": name}).fetchall()
    # What was written by hand may break a rule of today's, and is shown all the same.
    return tuple(Registered.model_construct(**{**row, "arms": tuple(map(_arm, row["arms"] or ()))}) for row in rows)


def _arm(values: dict[str, Any]) -> Arm:
    return Arm.model_validate(values)


def _running(connection: Connection) -> list[Registered]:
    return [one for one in _read(connection, None) if one.state == "running"]


@contextmanager
def _writing(connection: Connection) -> Iterator[None]:
    with connection.transaction():
        connection.execute(query("experiments_held"))
        yield


def _log(connection: Connection, name: str, action: str, note: str | None) -> None:
    connection.execute(query("experiment_logged"), {"name": name, "action": action, "note": note})


def _bounds(name: str, traffic: Slice) -> dict[str, Any]:
    return {"name": name, "from": traffic.start, "until": traffic.end}


def _require_running(connection: Connection, name: str, done: str) -> Registered:
    found = require(connection, name)
    if found.state != "running":
        was = "is a draft" if found.state == "draft" else "is stopped already"
        remedy = "`two-tower experiment start` starts it, `discard` takes it away." if found.state == "draft" else ""
        raise ExperimentError(
            f"Experiment {name} {was}, and cannot be {done}",
            where=_WHERE,
            remedy=remedy or "Create a new one with another name to go on.",
        )
    return found
