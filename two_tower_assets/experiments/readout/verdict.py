"""What a readout means for an arm: one word for programs, the reasons, and whether it may be promoted."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from two_tower_assets.experiments.readout.figures import (
    ArmFigures,
    Comparison,
    DayOfEntries,
    Decision,
    Exclusions,
    Guardrail,
    Verdict,
)
from two_tower_assets.experiments.readout.guarding import missing
from two_tower_assets.experiments.readout.metrics import METRICS
from two_tower_assets.experiments.readout.plan import Plan
from two_tower_assets.experiments.readout.words import Situation, guardrail_reason, paragraph
from two_tower_assets.experiments.sample_ratio import ALARM
from two_tower_assets.experiments.sequences import FEWEST_USERS

MOST_SWITCHED: Final = 0.01
"""Share of the users whom two arms served: merges of accounts are rarer, so an assignment is not stable."""

_DAYS_OF_LATE: Final = 7


@dataclass(frozen=True)
class Evidence:
    """What a verdict is made from."""

    plan: Plan
    arms: Sequence[ArmFigures]
    entries: Sequence[DayOfEntries]
    comparisons: Sequence[Comparison]
    guardrails: Sequence[Guardrail]
    exclusions: Exclusions
    mismatch: float | None


def verdicts(evidence: Evidence) -> list[Verdict]:
    """Judge every arm but the control."""
    fault = _fault(evidence)
    return [_verdict(evidence, arm.name, fault) for arm in evidence.plan.arms[1:]]


def _verdict(evidence: Evidence, arm: str, fault: str | None) -> Verdict:
    plan = evidence.plan
    primary = next(each for each in evidence.comparisons if (each.arm, each.metric) == (arm, plan.primary))
    decision = "broken" if fault else _decision(primary)
    guardrails = [each for each in evidence.guardrails if each.comparison.arm == arm]
    days = _days_needed(evidence, primary)
    against = list(_against(plan, guardrails, arm))
    short = [] if decision == "better" else [f"{METRICS[primary.metric].words} is not shown to be better: {decision}"]
    reasons = [fault] if fault else [*short, *against]
    largest = _largest(primary) if decision == "no difference" else None
    situation = Situation(
        plan=plan,
        comparison=primary,
        decision=decision,
        no_larger_than=largest,
        fault=fault,
        waiting=None if fault else _waiting(primary, evidence.arms),
        guardrails=len(plan.guardrails),
        against=against,
        days_needed=days,
        exclusions=evidence.exclusions,
    )
    return Verdict(
        arm=arm,
        decision=decision,
        no_larger_than=largest,
        promotable=not reasons,
        reasons=tuple(reasons),
        days_needed=days,
        text=paragraph(situation),
    )


def _fault(evidence: Evidence) -> str | None:
    """Why nothing of the experiment can be believed."""
    if evidence.mismatch is not None and evidence.mismatch <= ALARM:
        if evidence.plan.kind == "interleaving":
            return "the lists did not begin with either ranking's pick equally often, as a fair coin would have it"
        entered = ", ".join(f"{arm.arm} {arm.entered:,}" for arm in evidence.arms)
        planned = ", ".join(f"{arm.share:.0%}" for arm in evidence.arms)
        return f"the users did not fall into the arms as planned ({entered}, not {planned} of them)"
    counted = sum(arm.counted for arm in evidence.arms)
    switched = evidence.exclusions.switched
    if counted + switched >= FEWEST_USERS and switched > MOST_SWITCHED * (counted + switched):
        return f"{switched:,} users were served by more than one arm, which a stable assignment does not do"
    return None


def _decision(primary: Comparison) -> Decision:
    difference = primary.difference
    if difference is None or difference.low is None or difference.high is None:
        return "not yet"
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "no difference" if primary.users >= primary.planned else "not yet"


def _largest(primary: Comparison) -> float | None:
    difference = primary.difference
    if difference is None or difference.low is None or difference.high is None:
        return None
    return max(-difference.low, difference.high)


def _waiting(primary: Comparison, arms: Sequence[ArmFigures]) -> str | None:
    """Why nothing can be said yet, where it is not for want of users planned."""
    if empty := [arm.arm for arm in arms if not arm.counted]:
        return f"nobody of {' or '.join(empty)} has been counted"
    if primary.users < FEWEST_USERS:
        return f"{primary.users:,} users have been counted, and nothing is said of fewer than {FEWEST_USERS:,}"
    if primary.difference is None or primary.difference.low is None:
        done = f"{primary.active:,} of {primary.users:,} users" if primary.active else "no user"
        return f"{done} did anything that the metric counts, which is too little to say how sure a difference is"
    return None


def _against(plan: Plan, guardrails: Sequence[Guardrail], arm: str) -> Iterator[str]:
    """What guardrails say against promoting an arm."""
    yield from (guardrail_reason(each) for each in guardrails if each.state != "ruled out")
    when = "yet" if plan.kind == "arms" else "where everybody is shown both rankings"
    for name in missing(guardrails, plan.guardrails, arm):
        yield f"the guardrail {name} is not measured {when}"


def _days_needed(evidence: Evidence, primary: Comparison) -> int | None:
    """Days until the planned users are counted, with as many entering a day as of late."""
    plan, entries = evidence.plan, evidence.entries
    if primary.users >= primary.planned:
        return 0
    if plan.state != "running" or not entries:
        return None
    names = {plan.control.name, primary.arm} if plan.kind == "arms" else set(entries[-1].users)
    entered = [sum(day.users.get(name, 0) for name in names) for day in entries]
    days = min(_DAYS_OF_LATE, len(entries))
    earlier = entered[-days - 1] if len(entries) > days else 0
    a_day = (entered[-1] - earlier) / days
    left = max(0, primary.planned - entered[-1])
    if left and not a_day:
        return None
    return math.ceil((left / a_day if left else 0) + plan.attribution / timedelta(days=1))
