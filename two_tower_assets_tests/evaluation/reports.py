"""Small reports for tests of what is read off them: a good model, of which a test spoils one figure."""

from __future__ import annotations

from collections.abc import Mapping

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.report import CHAMPION, KNOWN, MODEL, RERANKED, Group, Report, TrialReport
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS

POPULAR = "most_popular"
RECENT = "popular_7_days"
COSINE = "content_cosine"

Figures = Mapping[str, Mapping[str, float]]
"""Method to metric to mean."""

GOOD: Figures = {
    MODEL: {
        "recall@10": 0.3,
        "recall@200": 0.6,
        "ndcg@10": 0.2,
        "purity@10": 0.8,
        "nope_rate@10": 0.02,
        "coverage@10": 0.4,
        "gini@10": 0.7,
        "maker_hhi@10": 0.1,
    },
    RERANKED: {"ndcg@10": 0.2},
    POPULAR: {
        "recall@200": 0.5,
        "ndcg@10": 0.1,
        "purity@10": 0.8,
        "nope_rate@10": 0.01,
        "coverage@10": 0.01,
        "gini@10": 0.99,
        "maker_hhi@10": 0.1,
    },
    RECENT: {"recall@200": 0.55, "ndcg@10": 0.15},
}


def interval(mean: float, half_width: float = 0.0) -> Interval:
    """A mean with a symmetrical interval."""
    return Interval(mean=mean, low=mean - half_width, high=mean + half_width)


def with_figures(figures: Figures, **changes: Mapping[str, float] | None) -> Figures:
    """Other figures of some methods; a method changed to None is taken out."""
    kept = {name: {**metrics, **(changes.get(name) or {})} for name, metrics in figures.items()}
    added = {name: metrics for name, metrics in changes.items() if name not in figures and metrics}
    return {name: metrics for name, metrics in {**kept, **added}.items() if changes.get(name, {}) is not None}


def trial_report(
    figures: Figures,
    *,
    trial: str = GLOBAL,
    users: int = 500,
    candidates: int = 2000,
    half_width: float = 0.01,
    group: str = KNOWN,
) -> TrialReport:
    """One trial whose gains are the differences of the means, all with intervals of one width."""
    own = figures.get(MODEL, {})
    gains = {
        name: {key: interval(own[key] - value, half_width) for key, value in metrics.items() if key in own}
        for name, metrics in figures.items()
        if name != MODEL
    }
    measured = {name: {key: interval(value) for key, value in metrics.items()} for name, metrics in figures.items()}
    return TrialReport(
        trial=trial,
        start=None,
        end=None,
        candidates=candidates,
        left_out={},
        groups={group: Group(users=users, targets=users, metrics=measured, gains=gains)},
        liked_maker_hhi=0.1,
    )


def report(
    judged: TrialReport | None = None,
    *,
    new_videos: TrialReport | None = None,
    champion: str | None = None,
    champion_missing: str | None = None,
) -> Report:
    """A report of a good first release, unless told otherwise."""
    trials = {GLOBAL: judged or trial_report(GOOD)}
    if new_videos is not None:
        trials[NEW_VIDEOS] = new_videos
    return Report(
        preset="content",
        choices=Choices(
            steps=1, taste_weight=0.0, popularity_weight=0.0, fallback_half_life_days=30.0, rerank_strength=0.0
        ),
        trials=trials,
        baselines={},
        champion_version=champion,
        champion_missing=champion_missing,
    )


def beside_champion(*, half_width: float = 0.01, **champion: float) -> Report:
    """A good model beside a champion that is like it but for some figures; `_at_` stands for @ in their names."""
    figures = {**GOOD[MODEL], **{name.replace("_at_", "@"): value for name, value in champion.items()}}
    return report(trial_report({**GOOD, CHAMPION: figures}, half_width=half_width), champion="v1")
