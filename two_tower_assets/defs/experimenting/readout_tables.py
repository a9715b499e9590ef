"""A readout as tables, for the terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.readout.figures import Readout
from two_tower_assets.experiments.readout.metrics import METRICS, OF_LISTS, OF_USERS

Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""Columns, and cells of each row."""

_UNKNOWN = "–"


def arm_rows(readout: Readout) -> Rows:
    """A row an arm: users, exposures and every metric with its bounds."""
    metrics = [name for name in (*OF_USERS, *OF_LISTS) if any(name in arm.metrics for arm in readout.arms)]
    columns = (
        "arm",
        "share",
        "users",
        "counted",
        "lists",
        "videos shown",
        *(METRICS[name].words for name in metrics),
    )
    rows = [
        (
            arm.arm,
            f"{arm.share:.0%}",
            f"{arm.entered:,}",
            f"{arm.counted:,}",
            f"{arm.lists:,}",
            f"{arm.places:,}",
            *(_interval(arm.metrics.get(name)) for name in metrics),
        )
        for arm in readout.arms
    ]
    return columns, rows


def lift_rows(readout: Readout) -> Rows:
    """A row an arm and metric: difference, lift, and what is asked of the metric."""
    columns = ("arm", "metric", "asked as", "difference", "lift", "CUPED leaves", "detectable, planned")
    guarded = {(each.comparison.arm, each.comparison.metric): each for each in readout.guardrails}
    rows: list[tuple[str, ...]] = []
    for one in readout.comparisons:
        guardrail = guarded.get((one.arm, one.metric))
        asked = (
            "primary"
            if one.metric == readout.primary
            else ""
            if guardrail is None
            else f"guardrail: {guardrail.state}"
        )
        rows.append(
            (
                one.arm,
                METRICS[one.metric].words,
                asked,
                _interval(one.difference, sign="+"),
                _percent(one.relative),
                _UNKNOWN if one.variance_left is None else f"{one.variance_left:.0%}",
                _UNKNOWN if one.detectable_planned is None else f"{one.detectable_planned:.3g}",
            )
        )
    return columns, rows


def said(readout: Readout) -> Iterable[str]:
    """Each verdict: the word, then the paragraph."""
    for verdict in readout.verdicts:
        may = "may be promoted" if verdict.promotable else "may not be promoted"
        yield f"{verdict.arm}: {verdict.decision} ({may}). {verdict.text}"


def _interval(one: Interval | None, sign: str = "") -> str:
    if one is None:
        return _UNKNOWN
    mean = f"{one.mean:{sign}.3g}"
    return mean if one.low is None or one.high is None else f"{mean} [{one.low:{sign}.3g}, {one.high:{sign}.3g}]"


def _percent(one: Interval | None) -> str:
    if one is None:
        return _UNKNOWN
    if one.low is None or one.high is None:
        return f"{one.mean:+.1%}"
    return f"{one.mean:+.1%} [{one.low:+.1%}, {one.high:+.1%}]"
