"""A verdict in plain words, for whoever has to decide and does not read statistics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.readout.figures import Comparison, Decision, Exclusions, Guardrail
from two_tower_assets.experiments.readout.metrics import METRICS
from two_tower_assets.experiments.readout.plan import Plan


@dataclass(frozen=True)
class Situation:
    """Everything that the paragraph tells."""

    plan: Plan
    comparison: Comparison
    decision: Decision
    no_larger_than: float | None
    fault: str | None
    waiting: str | None
    guardrails: int
    """How many there are."""
    against: Sequence[str]
    """What guardrails say against the arm."""
    days_needed: int | None
    exclusions: Exclusions


def paragraph(situation: Situation) -> str:
    """Write the verdict."""
    return " ".join(
        (_headline(situation), *_guardrails(situation), *_sureness(situation), *excluded(situation.exclusions))
    )


def guardrail_reason(guardrail: Guardrail) -> str:
    """Why a guardrail speaks against an arm."""
    name = METRICS[guardrail.comparison.metric].words
    if guardrail.state == "harmed":
        return f"{name} is harmed ({percent_bounds(guardrail.comparison.relative)})"
    return f"a harm of more than {guardrail.margin:.0%} to {name} is not ruled out yet"


def excluded(exclusions: Exclusions) -> Iterator[str]:
    """Say who and what was left out, or was taken in with a doubt; nothing where there is nothing to say."""
    if exclusions.switched:
        yield f"{_counted(exclusions.switched, 'user')} served by two arms left out."
    if exclusions.overlapping:
        yield f"{_counted(exclusions.overlapping, 'user')} served by another experiment as well left out."
    if exclusions.unexposed:
        yield f"{_counted(exclusions.unexposed, 'decision')} on videos that no list had shown not attributed."
    if exclusions.early:
        yield f"{_counted(exclusions.early, 'decision')} attributed though a little older than their list."
    if exclusions.ahead:
        yield f"{_counted(exclusions.ahead, 'list')} said to be served in the future not counted: a clock is wrong."
    if exclusions.extreme:
        yield (
            f"{_counted(exclusions.extreme, 'user')} decided more than three times as much as the top hundredth; "
            "what is beyond that does not count."
        )


def percent_bounds(relative: Interval | None) -> str:
    """A relative difference with its bounds."""
    if relative is None:
        return "of an unknown share"
    if relative.low is None or relative.high is None:
        return f"{relative.mean:+.1%}"
    low, high = sorted((relative.low, relative.high))
    return f"{relative.mean:+.1%}, surely between {low:+.1%} and {high:+.1%}"


def _headline(situation: Situation) -> str:
    arm, metric = situation.comparison.arm, METRICS[situation.comparison.metric].words
    control = situation.plan.control.name
    size = _size(situation)
    match situation.decision:
        case "broken":
            return f"The experiment is broken: {situation.fault}. Nothing it says of {arm} can be believed."
        case "better":
            return f"{arm} is better than {control} in {metric}: {size}."
        case "worse":
            return f"{arm} is worse than {control} in {metric}: {size}."
        case "no difference":
            largest = situation.no_larger_than
            return f"No difference between {arm} and {control} in {metric} is larger than {largest:.4g}: {size}."
        case "not yet":
            return f"Nothing can be said of {arm} in {metric} yet: {situation.waiting or size}."


def _size(situation: Situation) -> str:
    comparison = situation.comparison
    if comparison.relative is not None:
        return percent_bounds(comparison.relative)
    difference = comparison.difference
    if difference is None or difference.low is None or difference.high is None:
        return "there is no figure"
    return f"{difference.mean:+.3g}, surely between {difference.low:+.3g} and {difference.high:+.3g}"


def _guardrails(situation: Situation) -> Iterator[str]:
    if situation.decision == "broken" or not situation.guardrails:
        return
    if situation.against:
        yield f"Guardrails: {'; '.join(situation.against)}."
    else:
        yield "No guardrail is harmed beyond its margin."


def _sureness(situation: Situation) -> Iterator[str]:
    if situation.decision == "broken":
        return
    plan, comparison = situation.plan, situation.comparison
    arms = len(plan.arms) - 1
    shared = f" (the 5 % are shared by {arms} arms)" if arms > 1 else ""
    if comparison.difference is not None and comparison.difference.low is not None:
        yield (
            f"Of {comparison.users:,} users whose {_window(plan)} over, with bounds that hold at every look at "
            f"{comparison.confidence:.1%} confidence{shared}."
        )
    if situation.decision == "not yet":
        yield _more_time(situation)


def _more_time(situation: Situation) -> str:
    days = situation.days_needed
    plan = situation.plan
    seen = _seen(situation.comparison)
    if plan.state == "stopped":
        return "The experiment was stopped before it could be: start another for longer."
    if days is None:
        return f"No users have entered of late, so that the {plan.planned_users:,} planned are never reached.{seen}"
    if not days:
        return f"The planned users are all there.{seen}"
    return f"{_counted(days, 'more day')} at the present rate of users.{seen}"


def _seen(comparison: Comparison) -> str:
    if comparison.detectable_planned is None:
        return ""
    return f" Then a difference of {comparison.detectable_planned:.3g} would be seen with a chance of 80 %."


def _window(plan: Plan) -> str:
    hours = round(plan.attribution.total_seconds() / 3600)
    if hours == 24:
        return "first day is"
    return f"first {hours} hours are" if hours % 24 else f"first {hours // 24} days are"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
