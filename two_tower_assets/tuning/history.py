"""The course of a study: every point in the order of its number, and the best so far."""

from __future__ import annotations

from itertools import accumulate

from two_tower_assets.tuning.records import Outcome


def completed(outcome: Outcome) -> list[tuple[int, float]]:
    """Number and recall@50 of each complete trial."""
    return [(trial.number, trial.value) for trial in outcome.trials if trial.value is not None]


def ended_early(outcome: Outcome) -> list[tuple[int, float]]:
    """Number and last recall@50 of each trial that was looked at and ended early."""
    pruned = [trial for trial in outcome.trials if trial.value is None and trial.looks]
    return [(trial.number, trial.looks[max(trial.looks)]) for trial in pruned]


def best_so_far(outcome: Outcome) -> list[tuple[int, float]]:
    """Corners of the staircase: the largest recall@50 up to each trial."""
    points = completed(outcome)
    best = list(accumulate((value for _, value in points), max))
    corners: list[tuple[int, float]] = []
    for (number, _), value in zip(points, best, strict=True):
        if corners:
            corners.append((number, corners[-1][1]))
        corners.append((number, value))
    if corners:
        corners.append((max(trial.number for trial in outcome.trials), corners[-1][1]))
    return corners
