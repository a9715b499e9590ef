"""What a report's figures say of the towers: the best baseline, and whether they are clearly better than another."""

from __future__ import annotations

from typing import Final, Literal

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.gate import judged_recall
from two_tower_assets.evaluation.page.words import is_baseline, metric_of
from two_tower_assets.evaluation.report import MODEL, NDCG, RECALL, Group, TrialReport

Standing = Literal["better", "worse", "unclear", "ahead", "behind", "unknown"]

STANDINGS: Final[dict[Standing, tuple[str, str]]] = {
    "better": ("▲", "clearly better"),
    "worse": ("▼", "clearly worse"),
    "unclear": ("≈", "not distinguishable"),
    "ahead": ("△", "ahead"),
    "behind": ("▽", "behind"),
    "unknown": ("", "nothing to compare with"),
}
"""Sign and words. Ahead and behind: no interval of the difference was measured."""


def judged_group(trial: TrialReport | None) -> Group | None:
    """The group that the trial's verdict is about, where the towers were measured on it."""
    group = None if trial is None else trial.groups.get(trial.judged)
    return group if group is not None and MODEL in group.metrics else None


def recall_of(trial: TrialReport) -> str:
    """The recall that the verdict is about, or the usual one where the catalogue is too small for any."""
    measured = judged_group(trial)
    return (judged_recall(trial) if measured else None) or RECALL


def headline_metrics(trial: TrialReport) -> tuple[str, str]:
    """The two metrics that a trial is summed up by."""
    return NDCG, recall_of(trial)


def mean_of(group: Group, method: str, metric: str) -> float | None:
    """A method's mean, or None where it was not measured."""
    found = group.metrics.get(method, {}).get(metric)
    return None if found is None else found.mean


def metrics_of(group: Group) -> list[str]:
    """All metrics measured, in the order in which they first appear."""
    return list(dict.fromkeys(metric for figures in group.metrics.values() for metric in figures))


def best_baseline(group: Group, metric: str) -> str | None:
    """The baseline with the best mean; None where none was measured or neither more nor less is better."""
    better = metric_of(metric).better
    measured = {
        method: better * figures[metric].mean
        for method, figures in group.metrics.items()
        if is_baseline(method) and metric in figures
    }
    return max(measured, key=lambda method: measured[method], default=None) if better else None


def standing(group: Group, other: str | None, metric: str) -> Standing:
    """How the towers stand beside another method."""
    if other is None:
        return "unknown"
    gain = group.gains.get(other, {}).get(metric)
    if gain is not None and gain.low is not None:
        return standing_of(gain, metric)
    own, beside = mean_of(group, MODEL, metric), mean_of(group, other, metric)
    if own is None or beside is None or not metric_of(metric).better:
        return "unknown"
    return "ahead" if metric_of(metric).better * (own - beside) >= 0 else "behind"


def standing_of(gain: Interval, metric: str) -> Standing:
    """Read a paired difference: clearly better or worse where its 95 % interval does not hold zero."""
    better = metric_of(metric).better
    if gain.low is None or gain.high is None or not better:
        return "unknown"
    if gain.low <= 0 <= gain.high:
        return "unclear"
    return "better" if better * gain.mean > 0 else "worse"
