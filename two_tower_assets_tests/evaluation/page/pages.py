"""Pages of a made-up model: one with everything on it, one with little, one on which nothing could be measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.gate import Answer, Verdict
from two_tower_assets.evaluation.page.data import (
    Ablation,
    DataFacts,
    Exposure,
    LearningCurves,
    Missed,
    PageData,
    Person,
    Reason,
    Suggestion,
)
from two_tower_assets.evaluation.page.exposure import exposure
from two_tower_assets.evaluation.page.video_map import video_map
from two_tower_assets.evaluation.report import Calibration, Group, Report, TrialReport
from two_tower_assets.settings import Settings
from two_tower_assets_tests.evaluation.page.reports import END, answers, figures, full_report, interval

HOSTILE = """<script>alert("1")</script> & 'x' 『猫と&lt;雨』"""
"""A title that breaks every page that forgets to escape."""

VERSION = "20260302T120000Z-0123456"


def full_page(*, videos: int = 60) -> PageData:
    """Everything measured, passed, with titles that need escaping."""
    rng = np.random.default_rng(0)
    return PageData(
        model_version=VERSION,
        report=full_report(),
        verdict=Verdict(answers=answers()),
        data=_data(),
        settings=Settings().model_dump(mode="json"),
        curves=LearningCurves(
            losses=tuple((4 + 3 * np.exp(-np.arange(300) / 60) + rng.normal(0, 0.15, 300)).tolist()),
            validations=tuple((step, 0.7 - 0.3 * 2 ** (-step / 60)) for step in range(30, 301, 30)),
        ),
        exposure=_exposure(rng, videos),
        video_map=video_map(*_clusters(rng, videos)),
        people=tuple(_person(number) for number in range(10)),
        seeds={"ndcg@10": (0.289, 0.281, 0.296, 0.284, 0.291), "recall@200": (0.72, 0.715, 0.722, 0.719, 0.717)},
        ablation=(
            Ablation(name="the full recipe", metrics=figures(1.0)),
            Ablation(name="without logQ", metrics=figures(0.6), gains={"ndcg@10": interval(-0.11, 0.03)}),
            Ablation(name="without masking", metrics=figures(0.95), gains={"ndcg@10": interval(-0.012, 0.02)}),
        ),
    )


def empty_page() -> PageData:
    """A test window without a LIKE: no trial, no baseline, no curve, refused."""
    reason = "Nothing could be measured: the test window has no LIKE of a known user. Collect more decisions"
    return PageData(
        model_version=VERSION,
        report=Report(
            preset="content",
            choices=Choices(
                steps=0, taste_weight=0.0, popularity_weight=0.0, fallback_half_life_days=30.0, rerank_strength=0.0
            ),
            trials={},
            baselines={},
            notes=("The window from 2026-01-31 on has no LIKE.",),
        ),
        verdict=Verdict(answers=(Answer(question="measured", passed=False, reason=reason),)),
        data=_data(),
        settings={},
    )


def sparse_page() -> PageData:
    """A tiny catalogue: the towers alone, one metric, no baseline, one point or row of everything."""
    known = Group(users=1, targets=1, metrics={"two_tower": {"ndcg@10": interval(0.5, 0.0)}})
    trial = TrialReport(trial="global", start=None, end=None, candidates=9, left_out={}, groups={"known": known})
    choices = Choices(
        steps=1, taste_weight=0.0, popularity_weight=0.0, fallback_half_life_days=30.0, rerank_strength=0.0
    )
    nothing = np.array([], dtype=np.int64)
    return empty_page().model_copy(
        update={
            "report": Report(
                preset="content",
                choices=choices,
                trials={"global": trial},
                baselines={},
                calibration=Calibration(decisions=1, reliability=((0.5, 1.0, 0),)),
            ),
            "curves": LearningCurves(losses=(2.0,), validations=((1, 0.0),)),
            "exposure": exposure({"ease": np.array([[0]])}, nothing, makers=[None], likes_C=np.array([0])),
            "video_map": video_map(np.ones((1, 2)), [""], [[]], np.array([0])),
            "people": (
                Person(
                    user="0", group="heavy", decisions=1, likes=0, liked=(), shown=(), later_likes=1,
                    missed=(Missed(title="", rank=None),),
                ),
            ),
            "seeds": {"ndcg@10": (0.0,)},
            "ablation": (Ablation(name="the full recipe", metrics={}),),
        }
    )  # fmt: skip


def _data() -> DataFacts:
    return DataFacts(
        label="made-up videos",
        rows={"videos": 1682, "profiles": 943, "user_video_decisions": 100_000},
        cutoff=END,
        content_hash="936efbce27311f45a15654d4a939a7f46fbd07b8c0c2275bc7e38cce688fd34a",
    )


def _exposure(rng: np.random.Generator, videos: int) -> Exposure:
    popularity = 1 / np.arange(1, videos + 1)
    lists = {
        method: np.stack(
            [
                rng.choice(videos, 10, replace=False, p=popularity**power / (popularity**power).sum())
                for _ in range(40)
            ]
        )
        for method, power in (("two_tower", 0.6), ("most_popular", 2.0), ("ease", 1.0))
    }
    makers = [None if place % 9 == 0 else f"Maker {place % 23} & Söhne" for place in range(videos)]
    liked = rng.choice(videos, 400, p=popularity / popularity.sum())
    return exposure(lists, liked, makers=makers, likes_C=np.arange(videos)[::-1].copy())


def _clusters(
    rng: np.random.Generator, videos: int
) -> tuple[NDArray[np.float64], Sequence[str], Sequence[Sequence[str]], NDArray[np.int64]]:
    names = ("drama", "comedy", "猫", "<b>action</b>", "romance", "war", "music", "noir", "western", "silent")
    kind = rng.integers(len(names), size=videos)
    points = rng.normal(size=(len(names), 32))[kind] + 0.5 * rng.normal(size=(videos, 32))
    titles = [HOSTILE if video == 0 else f"Video {video}: 夜の{names[kind[video]]}" for video in range(videos)]
    tags = [[names[kind[video]]] for video in range(videos)]
    return points / np.linalg.norm(points, axis=1, keepdims=True), titles, tags, rng.integers(50, size=videos)


def _person(number: int) -> Person:
    is_new = number < 2
    reasons = () if is_new else (Reason(title=HOSTILE, similarity=0.81), Reason(title="東京物語", similarity=0.74))
    return Person(
        user=f"{number:08x}",
        group="new" if is_new else "light" if number < 6 else "heavy",
        decisions=0 if is_new else 3**number // 20 + 1,
        likes=0 if is_new else 14,
        liked=() if is_new else (HOSTILE, *(f"Liked {place}" for place in range(11))),
        shown=tuple(
            Suggestion(
                title=HOSTILE if place == 0 else f"Suggestion {place} with a title of some length",
                similarity=None if is_new else 0.9 - place / 50,
                reasons=reasons,
                later="liked" if place % 4 == 1 else "noped" if place == 6 else None,
            )
            for place in range(10)
        ),
        later_likes=9,
        missed=(Missed(title=HOSTILE, rank=17), Missed(title="Far away", rank=None)),
    )
