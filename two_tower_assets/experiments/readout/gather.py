"""One look at an experiment: everything read, compared and judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np

from two_tower_assets.experiments.definition import INTERLEAVED
from two_tower_assets.experiments.readout.arm_figures import figures_of, of_credits, of_lists, of_users
from two_tower_assets.experiments.readout.comparing import compare_credits, compare_shown, compare_users
from two_tower_assets.experiments.readout.entering import days_of, group_size, smallest_mismatch
from two_tower_assets.experiments.readout.figures import Exclusions, Readout
from two_tower_assets.experiments.readout.guarding import guard
from two_tower_assets.experiments.readout.kept import LATENESS, Kept
from two_tower_assets.experiments.readout.plan import Plan, PlannedArm
from two_tower_assets.experiments.readout.planning import read_plan
from two_tower_assets.experiments.readout.rows import (
    Credits,
    Entry,
    LeftOut,
    ReadUsers,
    Shown,
    read_ahead,
    read_credits,
    read_entries,
    read_now,
    read_shown,
    read_users,
)
from two_tower_assets.experiments.readout.verdict import Evidence, verdicts
from two_tower_assets.experiments.registry import Connection


def readout(connection: Connection, name: str, *, at: datetime | None = None) -> Readout:
    """Look at an experiment.

    Args:
        connection: to the database that serves.
        name: of the experiment.
        at: the moment of the look; default now. Nothing that came later counts, and nothing after the stop.

    Raises:
        ExperimentError: there is no such experiment, or its plan cannot be read out.
    """
    return look(connection, name, at=at)[0]


def look(
    connection: Connection, name: str, *, at: datetime | None = None, kept: Kept | None = None
) -> tuple[Readout, Kept | None]:
    """Do as `readout`, and read only users who are not kept from an earlier look; return what to keep from this one.

    Of an interleaving, nothing is kept.
    """
    plan = read_plan(connection, name)
    until = plan.until(at or read_now(connection))
    entries = read_entries(connection, plan, until=until)
    ahead = read_ahead(connection, plan)
    if plan.kind == "interleaving":
        given, left_out = read_credits(connection, plan, until=until)
        return judged(look_at_credits(plan, given, left_out, entries, until=until, ahead=ahead), until), None
    size = group_size(plan, entries)
    shown = read_shown(connection, plan, until=until, group_size=size) if size else None
    # What was kept of another experiment of the same name ended before this one began.
    usable = kept is not None and plan.started_at is not None and plan.started_at <= kept.until <= until - LATENESS
    settled = Kept.joined(kept if usable else None, connection, plan, until=until - LATENESS)
    found = settled.read + read_users(connection, plan, until=until, after=settled.until)
    evidence = look_at_users(plan, found, entries, shown, until=until, ahead=ahead)
    return judged(evidence, until), settled


def look_at_users(
    plan: Plan, found: ReadUsers, entries: Sequence[Entry], shown: Shown | None, *, until: datetime, ahead: int = 0
) -> Evidence:
    """Compare the arms of an A/B test."""
    users, extreme = found.users.capped()
    comparisons = [*compare_users(plan, users), *(compare_shown(plan, shown) if shown else [])]
    days = days_of(entries, [arm.name for arm in plan.arms], until)
    entered = [[day.users[arm.name] for arm in plan.arms] for day in days]
    return Evidence(
        plan=plan,
        arms=[
            figures_of(
                arm,
                entries,
                users.of(arm.name).count(),
                {**of_users(plan, arm, users), **of_lists(arm, shown)},
            )
            for arm in plan.arms
        ],
        entries=days,
        comparisons=comparisons,
        guardrails=guard(comparisons, plan.guardrails),
        exclusions=Exclusions(**vars(found.left_out), ahead=ahead, extreme=extreme),
        mismatch=smallest_mismatch(entered, [arm.share for arm in plan.arms]),
    )


def look_at_credits(
    plan: Plan, given: Credits, left_out: LeftOut, entries: Sequence[Entry], *, until: datetime, ahead: int = 0
) -> Evidence:
    """Compare the two rankings of an interleaving."""
    everybody = PlannedArm(INTERLEAVED, 1.0)
    counted = int(given.users.sum())
    began = [np.cumsum([each.control_began for each in entries]), np.cumsum([each.arm_began for each in entries])]
    return Evidence(
        plan=plan,
        arms=[
            figures_of(everybody, entries, counted, of_credits(plan, given.users, likes)).model_copy(
                update={"arm": arm.name}
            )
            for arm, likes in zip(plan.arms, (given.control, given.arm), strict=True)
        ],
        entries=days_of(entries, [INTERLEAVED], until),
        comparisons=[compare_credits(plan, given)],
        guardrails=[],
        exclusions=Exclusions(**vars(left_out), ahead=ahead, extreme=0),
        mismatch=smallest_mismatch(list(zip(*began, strict=True)), [0.5, 0.5]),
    )


def judged(evidence: Evidence, until: datetime) -> Readout:
    """Add the verdicts."""
    plan = evidence.plan
    return Readout(
        experiment=plan.name,
        kind=plan.kind,
        state=plan.state,
        at=until,
        started_at=plan.started_at,
        primary=plan.primary,
        attribution_hours=round(plan.attribution / timedelta(hours=1)),
        before_days=plan.before.days,
        planned_users=plan.planned_users,
        mismatch=evidence.mismatch,
        arms=tuple(evidence.arms),
        entries=tuple(evidence.entries),
        comparisons=tuple(evidence.comparisons),
        guardrails=tuple(evidence.guardrails),
        exclusions=evidence.exclusions,
        verdicts=tuple(verdicts(evidence)),
    )
