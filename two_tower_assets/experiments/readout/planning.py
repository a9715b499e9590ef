"""The plan of an experiment from the registry, if it is one that can be read out.

What was written by hand may be none: the registry's own commands refuse it before it starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.readout.metrics import OF_LISTS, OF_USERS, PREFERENCE
from two_tower_assets.experiments.readout.plan import Plan
from two_tower_assets.experiments.readout.rows import read_now
from two_tower_assets.experiments.registered import Registered
from two_tower_assets.experiments.registry import Connection, knows_experiments, list_experiments, require

SHOWN_AFTER_STOP: Final = timedelta(days=30)

_ROUNDING: Final = 1e-6


def to_read(connection: Connection) -> list[str]:
    """Names of the experiments to look at every day; none where the database knows no experiments.

    Those that run, and those that were stopped within `SHOWN_AFTER_STOP` and of which no arm was promoted yet: that
    is when a promotion is decided. A stopped one that cannot be read out is left out, for nobody can mend it.
    """
    if not knows_experiments(connection):
        return []
    stopped_after = read_now(connection) - SHOWN_AFTER_STOP
    found = list_experiments(connection)
    return sorted(one.name for one in found if one.state == "running" or _is_undecided(one, stopped_after))


def _is_undecided(found: Registered, stopped_after: datetime) -> bool:
    was_stopped = found.stopped_at is not None and found.stopped_at > stopped_after
    return was_stopped and found.promoted_arm is None and not any(_problems(found))


def read_plan(connection: Connection, name: str) -> Plan:
    """Read what was agreed.

    Raises:
        ExperimentError: there is no such experiment, or its plan cannot be read out; all that is wrong is named.
    """
    if not knows_experiments(connection):
        raise ExperimentError(
            f"There is no experiment {name}",
            where="public.experiments",
            remedy="This database knows no experiments: `two-tower migrate` brings their tables.",
        )
    found = require(connection, name)
    if problems := list(_problems(found)):
        raise ExperimentError(
            f"Experiment {name} cannot be read out: {'; '.join(problems)}",
            where="public.experiments",
            remedy="It was not planned with `two-tower experiment create`, which refuses that. Start another one so.",
        )
    return Plan.of(found)


def _problems(found: Registered) -> Iterator[str]:
    arms, weights = len(found.arms), sum(arm.weight for arm in found.arms)
    if arms < 2 or (found.kind == "interleaving" and arms > 2):
        yield f"with {arms} arms there is nothing to compare"
    if abs(weights - 1) > _ROUNDING:
        yield f"the weights sum to {weights:.6g} and not to 1"
    allowed = (PREFERENCE,) if found.kind == "interleaving" else OF_USERS
    if found.primary_metric not in allowed:
        yield f"the primary metric {found.primary_metric} is none of {', '.join(allowed)}"
    if unknown := [name for name in found.guardrails if name not in {*OF_USERS, *OF_LISTS}]:
        yield f"nobody measures the guardrails {', '.join(unknown)}"
