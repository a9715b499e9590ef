"""What must hold before an experiment may be created or started: releases, memory, and users of its own."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from two_tower_assets.database.queries import query
from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.definition import Experiment
from two_tower_assets.experiments.registered import Registered
from two_tower_assets.experiments.traffic import Slice, as_text, free_slices

MOST_VERSIONS: Final = 4
"""Versions beside the live one that an Edge Function holds in its memory."""
_SERVABLE: Final = frozenset({"verified", "live", "retired"})

Connection = psycopg.Connection[TupleRow]


def require_servable(connection: Connection, experiment: Experiment) -> None:
    """Refuse an arm whose version cannot be served beside the live one.

    Raises:
        ExperimentError: a version is unknown, was never verified, or its vectors are gone.
    """
    versions = [arm.model_version for arm in experiment.arms if arm.model_version is not None]
    rows = connection.execute(query("experiment_versions"), {"versions": versions}).fetchall()
    found = {version: (state, kept) for version, state, kept in rows}
    for arm in experiment.arms:
        if arm.model_version is None:
            continue
        if arm.model_version not in found:
            raise ExperimentError(
                f"There is no release {arm.model_version}, of which arm {arm.name} is to be",
                where="public.model_releases",
                remedy="`two-tower releases` lists them; `live` is whatever is live.",
            )
        state, kept = found[arm.model_version]
        if state not in _SERVABLE or not kept:
            why = f"is {state}, not verified" if state not in _SERVABLE else f"is {state} and its vectors are gone"
            raise ExperimentError(
                f"Release {arm.model_version}, of which arm {arm.name} is to be, {why}",
                where="public.model_releases",
                remedy="Prepare it anew without making it live: `two-tower publish --stage-only`.",
            )


def require_memory(running: Sequence[Registered], starting: Registered) -> None:
    """Refuse more versions at once than the Edge Functions hold.

    Raises:
        ExperimentError: there would be more than `MOST_VERSIONS`.
    """
    versions = frozenset[str]().union(starting.versions, *(one.versions for one in running))
    if len(versions) > MOST_VERSIONS:
        raise ExperimentError(
            f"With {starting.name} the running experiments have {len(versions)} versions, and the Edge Functions "
            f"hold {MOST_VERSIONS} beside the live one",
            where="public.experiment_arms",
            remedy=f"Stop one of {', '.join(one.name for one in running if one.versions) or 'them'} first.",
        )


def choose_slice(running: Sequence[Registered], share: Decimal, at: Decimal | None) -> Slice:
    """Return the users that an experiment gets.

    Args:
        running: the others.
        share: of all users.
        at: where its slice of the traffic begins; None: where most is free, so that it can be ramped.

    Raises:
        ExperimentError: the share is none, or so many users are not free (there).
    """
    if not 0 < share <= 1:
        raise ExperimentError(
            f"A share of {share} is not above 0 and at most 1", where="--share", remedy="0.1 is every tenth user."
        )
    if at is None:
        at = max(free_slices(_taken(running)), key=lambda one: one.share, default=Slice(Decimal(0), Decimal(0))).start
    traffic = Slice(at, at + share)
    require_free(running, traffic)
    return traffic


def require_free(running: Sequence[Registered], traffic: Slice) -> None:
    """Refuse users that another experiment has.

    Raises:
        ExperimentError: the slice reaches beyond all users, or overlaps; the text names with whom, and what is free.
    """
    free = as_text(free_slices(_taken(running)))
    if traffic.start < 0 or traffic.end > 1:
        raise ExperimentError(
            f"The slice {traffic} is not within 0 to 1", where="--share", remedy=f"Free are: {free}."
        )
    others = [one for one in running if one.traffic is not None and one.traffic.overlaps(traffic)]
    if others:
        having = ", ".join(f"{one.name} ({one.traffic})" for one in others)
        raise ExperimentError(
            f"The slice {traffic} has users of {having}",
            where="public.experiments",
            remedy=f"Free are: {free}. Or stop the other first: no user is in two experiments.",
        )


def _taken(running: Sequence[Registered]) -> list[Slice]:
    return [one.traffic for one in running if one.traffic is not None]
