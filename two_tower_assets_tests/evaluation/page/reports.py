"""A made-up report: the towers beside the live release and all baselines, in three trials."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.choices import Choices, LikeCalibration, TradeOff
from two_tower_assets.evaluation.gate import Answer
from two_tower_assets.evaluation.report import Baseline, Calibration, Group, Report, TrialReport

START, END = datetime(2026, 1, 31, 6, 30, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)
_METHODS = ("two_tower", "two_tower_reranked", "champion", "most_popular", "popular_7_days", "popular_30_days")
_METHODS += ("content_cosine", "item_knn", "als", "bpr", "ease")
_SKILL = dict(zip(_METHODS, (1.0, 0.985, 0.93, 0.55, 0.85, 0.83, 0.6, 0.7, 0.78, 0.72, 0.8), strict=True))
_TOP = {
    "recall@10": 0.14, "recall@50": 0.39, "recall@200": 0.72, "ndcg@10": 0.289, "ndcg@50": 0.33, "ndcg@200": 0.46,
    "mrr": 0.51, "auc": 0.71, "nope_rate@10": 0.041, "novelty@10": 8.9, "purity@10": 0.78, "popularity_lift@10": 0.62,
    "coverage@10": 0.21, "gini@10": 0.93, "maker_hhi@10": 0.011,
}  # fmt: skip
_WITHOUT_INTERVAL = ("coverage@10", "gini@10", "maker_hhi@10")
_PAIRED = ("recall@10", "recall@50", "recall@200", "ndcg@10", "mrr", "auc", "nope_rate@10")


def interval(mean: float, half: float) -> Interval:
    """A figure and as much on both sides."""
    return Interval(mean=mean, low=mean - half, high=mean + half)


def figures(skill: float) -> dict[str, Interval]:
    """All metrics of a method that is as good as `skill` times the towers."""
    return {
        name: Interval(mean=value * skill) if name in _WITHOUT_INTERVAL else interval(value * skill, 0.12 * value)
        for name, value in _TOP.items()
    }


def _group(users: int, methods: Sequence[str] = _METHODS, *, skill: float = 1.0) -> Group:
    others = [method for method in methods if method != "two_tower"]
    return Group(
        users=users,
        targets=users * 9,
        metrics={method: figures(skill * _SKILL[method]) for method in methods},
        gains={
            method: {name: interval(_TOP[name] * skill * (1 - _SKILL[method]), 0.13 * _TOP[name]) for name in _PAIRED}
            for method in others
        },
    )


def _trial(name: str, groups: dict[str, Group]) -> TrialReport:
    return TrialReport(
        trial=name,
        start=START if name == "global" else None,
        end=END if name == "global" else None,
        candidates=1679,
        left_out={"unknown_video": 3, "inactive_video": 0, "no_candidate": 12},
        groups=groups,
        catalogue_maker_hhi=0.0021,
        liked_maker_hhi=0.0107,
    )


def full_report() -> Report:
    """Three trials, all methods, all segments."""
    segments = ("known", "new", "light", "heavy", "tail videos", "large makers", "middle makers", "small makers")
    parts = {name: _group(92 - 7 * place, skill=1 - 0.08 * place) for place, name in enumerate(segments)}
    return Report(
        preset="hybrid",
        choices=Choices(
            steps=270,
            taste_weight=0.5,
            popularity_weight=0.0, fallback_half_life_days=14.0,
            rerank_strength=0.05,
            like_calibration=LikeCalibration(a=2.41, b=-0.32),
            trade_off=tuple(
                TradeOff(
                    taste_weight=weight,
                    metrics={"ndcg@10": 0.29 - 0.06 * weight**2, "recall@200": 0.72 - 0.03 * weight,
                             "purity@10": 0.72 + 0.1 * weight**0.7, "nope_rate@10": 0.05 - 0.02 * weight, "auc": 0.7},
                )
                for weight in (0.0, 0.25, 0.5, 0.75, 1.0)
            ),
        ),
        trials={
            "global": _trial("global", parts),
            "per_user": _trial("per_user", {"all": _group(913, skill=0.9), "light": _group(101, skill=0.7)}),
            "new_videos": _trial(
                "new_videos", {"known": _group(702, ("two_tower", "content_cosine", "most_popular"), skill=0.5)}
            ),
        },
        baselines={
            "global": {
                "ease": Baseline(parameters={"regularisation": 500}),
                "bpr": Baseline(missing="the package `implicit` is not installed"),
            }
        },
        calibration=Calibration(
            decisions=4210, brier=0.21, log_loss=0.61, expected_error=0.024,
            reliability=tuple((p / 10, min(1.0, p / 10 + 0.03 * (-1) ** p), 150 * p) for p in range(2, 10)),
        ),
        champion_version="20260101T000000Z-fedcba9",
    )  # fmt: skip


def answers() -> tuple[Answer, ...]:
    """A verdict of nine questions, all answered yes."""
    return (
        Answer(question="measured", passed=True, value=92, bound=20),
        Answer(question="recall@200 beside popular_7_days", passed=True, value=0.72, bound=0.612),
        Answer(question="ndcg@10 minus popular_7_days's, upper bound", passed=True, value=0.081, bound=0.0),
        Answer(question="purity@10 beside most_popular", passed=True, value=0.78, bound=0.365),
        Answer(question="nope_rate@10 beside most_popular", passed=True, value=0.041, bound=0.068),
        Answer(question="maker_hhi@10", passed=True, value=0.011, bound=0.016),
        Answer(question="new videos: recall@200 beside content_cosine", passed=True, value=0.36, bound=0.216),
        Answer(question="ndcg@10 that re-ranking costs, lower bound", passed=True, value=-0.002, bound=0.009),
        Answer(question="recall@200 beside the champion", passed=True, value=0.021, bound=-0.05),
    )
