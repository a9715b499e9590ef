"""Experiments in the terminal, or as JSON for programs. What they show is the readout's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.experimenting.connected import connected
from two_tower_assets.defs.release_words import moment, value
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.experiments.definition import INTERLEAVED, LIVE, Arm
from two_tower_assets.experiments.registered import Registered
from two_tower_assets.experiments.registry import exposures, list_experiments, require

Served = Mapping[str, tuple[int, int]]
"""Users and lists of each arm."""


def print_status(url: str, name: str | None, *, as_json: bool) -> None:
    """Print one experiment of the database at `url`, or all of them, newest first.

    Raises:
        ExperimentError: there is none of that name.
    """
    with connected(url) as connection:
        found = (require(connection, name),) if name else list_experiments(connection)
        served = {one.name: exposures(connection, one.name) for one in found}
    console = Console(highlight=False, width=TABLE_WIDTH)
    if as_json:
        console.print_json(json.dumps([_record(one, served[one.name]) for one in found]))
    elif found:
        console.print(_table(found, served))
    else:
        console.print("No experiment yet: `two-tower experiment create` makes one.")


def _table(found: tuple[Registered, ...], served: Mapping[str, Served]) -> Table:
    table = Table(title="Experiments", title_justify="left")
    for column in ("experiment", "state", "of all users", "arm", "weight", "version", "list", "users", "lists"):
        table.add_column(column, no_wrap=column == "experiment")
    for one in found:
        state = f"{one.state} since {moment(one.stopped_at or one.started_at or one.created_at)}"
        for place, arm in enumerate(one.arms):
            users, lists = served[one.name].get(_logged_as(one, arm), (0, 0))
            table.add_row(
                one.name if place == 0 else "",
                state if place == 0 else "promoted" if one.promoted_arm == arm.name else "",
                value(str(one.traffic or "")) if place == 0 else "",
                arm.name,
                value(arm.weight),
                arm.model_version or LIVE,
                value(json.dumps(arm.ranking.named()) if arm.ranking.named() else None),
                value(users),
                value(lists),
            )
        table.add_section()
    return table


def _record(one: Registered, served: Served) -> dict[str, Any]:
    """One element of the JSON; its keys grow by adding."""
    return {
        "name": one.name,
        "kind": one.kind,
        "state": one.state,
        "traffic": [float(one.traffic.start), float(one.traffic.end)] if one.traffic else None,
        "primary_metric": one.primary_metric,
        "guardrails": list(one.guardrails),
        "attribution_hours": one.attribution_hours,
        "before_days": one.before_days,
        "planned_users": one.planned_users,
        "created_at": one.created_at.isoformat(),
        "created_by": one.created_by,
        "started_at": one.started_at.isoformat() if one.started_at else None,
        "stopped_at": one.stopped_at.isoformat() if one.stopped_at else None,
        "promoted_arm": one.promoted_arm,
        "arms": [
            {
                "name": arm.name,
                "weight": arm.weight,
                "model_version": arm.model_version,
                "ranking": arm.ranking.named(),
                "users": served.get(_logged_as(one, arm), (0, 0))[0],
                "lists": served.get(_logged_as(one, arm), (0, 0))[1],
            }
            for arm in one.arms
        ],
    }


def _logged_as(one: Registered, arm: Arm) -> str:
    """The arm that lists are logged under: of an interleaving everybody sees both."""
    return INTERLEAVED if one.kind == "interleaving" else arm.name
