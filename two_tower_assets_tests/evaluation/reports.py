"""Reports made by hand: a healthy one, and ways to change one figure of it."""

from __future__ import annotations

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.report import (
    ALL,
    CHAMPION,
    KNOWN,
    MODEL,
    NDCG,
    RECALL,
    RERANKED,
    Group,
    Report,
    TrialReport,
)
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS

CHOICES = Choices(
    steps=300, taste_weight=0.25, popularity_weight=0.1, fallback_half_life_days=30, rerank_strength=0.1
)
FIGURES = {
    MODEL: {
        "recall@10": 0.3,
        "recall@50": 0.5,
        RECALL: 0.7,
        NDCG: 0.3,
        "purity@10": 0.8,
        "nope_rate@10": 0.04,
        "coverage@10": 0.2,
        "gini@10": 0.9,
        "maker_hhi@10": 0.02,
    },
    RERANKED: {RECALL: 0.7, NDCG: 0.3},
    "most_popular": {
        "recall@10": 0.2,
        "recall@50": 0.4,
        RECALL: 0.5,
        NDCG: 0.15,
        "purity@10": 0.85,
        "nope_rate@10": 0.02,
        "coverage@10": 0.05,
        "gini@10": 0.98,
        "maker_hhi@10": 0.03,
    },
    "popular_7_days": {"recall@10": 0.2, "recall@50": 0.4, RECALL: 0.6, NDCG: 0.25},
}
"""Means of a model that passes."""


def around(mean: float, half: float = 0.02) -> Interval:
    """A mean with a symmetric interval."""
    return Interval(mean=mean, low=mean - half, high=mean + half)


def group(figures: dict[str, dict[str, float]], *, users: int = 500, gains: dict[str, dict[str, Interval]]) -> Group:
    """Figures of one group."""
    metrics = {method: {name: around(value) for name, value in values.items()} for method, values in figures.items()}
    return Group(users=users, targets=4 * users, metrics=metrics, gains=gains)


def report(
    changes: dict[str, dict[str, float]] | None = None,
    *,
    users: int = 500,
    candidates: int = 5000,
    champion_gain: dict[str, Interval] | None = None,
    champion_missing: str | None = None,
    new_video_recalls: tuple[float, float] | None = (0.5, 0.4),
    global_trial: bool = True,
) -> Report:
    """A report in which the model passes, but for what is changed.

    Args:
        changes: method to metric to mean.
        users: known users of the global trial.
        candidates: of every trial.
        champion_gain: metric to towers minus champion; its means are the towers'.
        champion_missing: why the live release could not be compared.
        new_video_recalls: recall@200 of towers and content cosine; None: the trial asked nobody.
        global_trial: whether there is anybody in it.
    """
    figures = {method: dict(values) for method, values in FIGURES.items()}
    for method, values in (changes or {}).items():
        figures.setdefault(method, {}).update(values)
    own = figures[MODEL]
    gains = {
        method: {name: around(own[name] - value) for name, value in values.items() if name in own}
        for method, values in figures.items()
        if method != MODEL
    }
    if champion_gain is not None:
        figures[CHAMPION] = dict(own)
        gains[CHAMPION] = {name: around(0.0, 0.001) for name in own} | champion_gain
    known = {KNOWN: group(figures, users=users, gains=gains)} if global_trial else {}
    new_videos = {}
    if new_video_recalls is not None:
        recalls = dict(zip((MODEL, "content_cosine"), new_video_recalls, strict=True))
        new_videos = {ALL: group({method: {RECALL: value} for method, value in recalls.items()}, gains={})}
    compared = champion_gain is not None or champion_missing is not None
    return Report(
        preset="content",
        choices=CHOICES,
        trials={
            name: TrialReport(
                trial=name,
                start=None,
                end=None,
                candidates=candidates,
                left_out={},
                groups=groups,
                liked_maker_hhi=0.02,
            )
            for name, groups in ((GLOBAL, known), (NEW_VIDEOS, new_videos))
        },
        baselines={},
        champion_version="20260101T000000Z-0123456" if compared else None,
        champion_missing=champion_missing,
    )
