"""Whether an arm may be promoted, asked by whoever is about to do it."""

from __future__ import annotations

from datetime import datetime

from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.readout.figures import Verdict
from two_tower_assets.experiments.readout.gather import readout
from two_tower_assets.experiments.registry import Connection


def require_promotable(connection: Connection, name: str, arm: str, *, at: datetime | None = None) -> Verdict:
    """Look at an experiment, and refuse unless an arm is better and harms nothing that it must not.

    Args:
        connection: to the database that serves.
        name: of the experiment.
        arm: to be promoted; not the control, which is what is served already.
        at: the moment of the look; default now.

    Raises:
        ExperimentError: it may not be promoted, with the reasons; or there is no such experiment or arm.
    """
    found = readout(connection, name, at=at)
    verdict = found.verdict_of(arm)
    if verdict is None:
        arms = ", ".join(each.arm for each in found.verdicts)
        raise ExperimentError(
            f"{arm!r} is no arm of {name!r} that could be promoted",
            where="public.experiment_arms",
            remedy=f"Promote one of {arms}; the control is served already.",
        )
    if not verdict.promotable:
        raise ExperimentError(
            f"{arm!r} of {name!r} may not be promoted: {'; '.join(verdict.reasons)}",
            where="public.experiments",
            remedy=f"`two-tower experiment readout {name}` says more. {_next_step(verdict)}",
        )
    return verdict


def _next_step(verdict: Verdict) -> str:
    match verdict.decision:
        case "broken":
            return "Find what went wrong and start another experiment."
        case "better":
            return "Go on until the guardrails are known, or give the arm up."
        case "not yet":
            return "Go on until it can be said."
        case "worse" | "no difference":
            return "Stop it and keep the control."
