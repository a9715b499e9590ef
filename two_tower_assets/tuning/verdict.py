"""What tuning came to, in plain words."""

from __future__ import annotations

from collections.abc import Iterator

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.nightly.next_day import RECALL
from two_tower_assets.evaluation.page.formats import counted
from two_tower_assets.evaluation.page.words import metric_name, metric_of
from two_tower_assets.evaluation.paired.records import Group
from two_tower_assets.tuning.finalists import name_of
from two_tower_assets.tuning.records import Contest, Outcome


def headline(outcome: Outcome) -> str:
    """One sentence: whether the winner is better by more than chance."""
    if outcome.contest is None:
        return "The current settings stay: over other seeds no point was better on the validation window."
    difference = everybody(outcome.contest).difference[RECALL]
    if (difference.low or 0.0) > 0:
        return "The winner finds more than the current settings, by more than chance."
    if (difference.high or 0.0) < 0:
        return "The winner finds less than the current settings, by more than chance: keep the current ones."
    return "The winner can't be told from the current settings by more than chance: there is no reason to change."


def verdict_lines(outcome: Outcome) -> tuple[str, ...]:
    """The headline, and the figures that it stands on."""
    best = outcome.finalists[0]
    finals = f"On the validation window {name_of(best.trial)} is the best of the finals"
    return (
        headline(outcome),
        f"{finals}: {RECALL} {best.mean:.4f}, mean of {counted(len(best.values), 'seed')}.",
        *([_contest_line(outcome.contest), *_costs(outcome.contest)] if outcome.contest else []),
    )


def everybody(contest: Contest) -> Group:
    """The group of all known users."""
    return contest.groups[0]


def is_better(outcome: Outcome) -> bool:
    """Whether the winner is better by more than chance."""
    return outcome.contest is not None and (everybody(outcome.contest).difference[RECALL].low or 0.0) > 0


def _costs(contest: Contest) -> Iterator[str]:
    """What is worse by more than chance although it was not searched for."""
    for metric, difference in everybody(contest).difference.items():
        better = metric_of(metric).better
        if metric != RECALL and max(better * (difference.low or 0.0), better * (difference.high or 0.0)) < 0:
            yield f"Mind that {metric_name(metric)} is worse by more than chance: {_signed(difference)}."


def _signed(difference: Interval) -> str:
    return f"{difference.mean:+.4f} [{difference.low or 0:+.4f} {difference.high or 0:+.4f}]"


def _contest_line(contest: Contest) -> str:
    group = everybody(contest)
    difference = group.difference[RECALL]
    means = f"{group.before[RECALL].mean:.4f} → {group.after[RECALL].mean:.4f}"
    better = sum(value > 0 for value in contest.by_seed)
    return (
        f"On the test window, which tuning never saw, {RECALL} goes {means}, {_signed(difference)} over "
        f"{group.users:,} users; with {better} of {counted(contest.seeds, 'seed')} it finds more."
    )
