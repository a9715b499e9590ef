"""Pages made by hand: everything on one, and next to nothing on the other."""

from __future__ import annotations

from datetime import UTC, datetime

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.choices import LikeCalibration, TradeOff
from two_tower_assets.evaluation.gate import judge
from two_tower_assets.evaluation.page.data import (
    Ablation,
    DataFacts,
    Exposure,
    LearningCurves,
    MakerExposure,
    MapPoint,
    Missed,
    PageData,
    Person,
    Reason,
    Suggestion,
    VideoMap,
)
from two_tower_assets.evaluation.report import MODEL, Baseline, Calibration
from two_tower_assets.evaluation.trials import GLOBAL
from two_tower_assets.settings import GateSettings, Settings
from two_tower_assets_tests.evaluation.reports import CHOICES, report

EVIL = """<script>alert("x")</script> & 'quoted' 日本語 https://example.org/a.png"""


def full() -> PageData:
    """Every section has something to show, and titles try to break out of it."""
    curve = tuple(
        TradeOff(
            taste_weight=weight,
            metrics={
                "ndcg@10": 0.2 - weight / 20,
                "recall@200": 0.7 - weight / 10,
                "purity@10": 0.7 + weight / 10,
                "nope_rate@10": 0.04,
                "auc": 0.65,
            },
        )
        for weight in (0.0, 0.25, 0.5)
    )
    found = report(champion_gain={}).model_copy(
        update={
            "choices": CHOICES.model_copy(
                update={"trade_off": curve, "like_calibration": LikeCalibration(a=3.0, b=-0.2)}
            ),
            "calibration": Calibration(
                decisions=100,
                brier=0.2,
                log_loss=0.6,
                expected_error=0.03,
                reliability=((0.3, 0.25, 50), (0.7, 0.75, 50)),
            ),
            "baselines": {GLOBAL: {"als": Baseline(missing="The library implicit is not installed")}},
            "notes": ("per_user: no LIKE of a candidate is hidden in it",),
        }
    )
    person = Person(
        user="0123abcd",
        group="light",
        decisions=7,
        likes=3,
        liked=(EVIL, "Second"),
        shown=(
            Suggestion(title=EVIL, similarity=0.5, reasons=(Reason(title=EVIL, similarity=0.9),), later="liked"),
            Suggestion(title="Other", similarity=0.4, reasons=(), later="noped"),
        ),
        later_likes=2,
        missed=(Missed(title="Far", rank=120), Missed(title="Beyond", rank=None)),
    )
    return PageData(
        model_version="20260301T120000Z-0123456",
        report=found,
        verdict=judge(found, GateSettings()),
        data=DataFacts(
            label=EVIL, rows={"videos": 3}, cutoff=datetime(2026, 3, 1, tzinfo=UTC), content_hash="d" * 64
        ),
        settings=Settings().model_dump(mode="json"),
        curves=LearningCurves(losses=(3.0, 2.5, 2.2), validations=((2, 0.8), (3, 0.9))),
        exposure=Exposure(
            makers=(
                MakerExposure(name=EVIL, liked=0.1, shown={MODEL: 0.2}),
                MakerExposure(name=None, liked=0, shown={MODEL: 0.1}),
            ),
            liked_deciles=(0.5, *([0.5 / 9] * 9)),
            shown_deciles={MODEL: (0.6, *([0.4 / 9] * 9))},
        ),
        video_map=VideoMap(
            points=tuple(
                MapPoint(x=number / 20, y=(number * 7 % 20) / 20, title=f"{EVIL} {number}", tag=number % 2 or None)
                for number in range(20)
            ),
            tags=("drama", EVIL),
            videos=20,
            kept=0.4,
        ),
        people=(person,),
        seeds={"ndcg@10": (0.2, 0.21, 0.19)},
        ablation=(
            Ablation(name="full recipe", metrics={"ndcg@10": Interval(mean=0.2, low=0.19, high=0.21)}),
            Ablation(
                name="no logQ correction",
                metrics={"ndcg@10": Interval(mean=0.1, low=0.09, high=0.11)},
                gains={"ndcg@10": Interval(mean=-0.1, low=-0.12, high=-0.08)},
            ),
        ),
    )


def minimal() -> PageData:
    """Nothing was measured and the model is refused."""
    found = report(global_trial=False, new_video_recalls=None).model_copy(update={"notes": ("nobody was asked",)})
    return PageData(
        model_version="not released",
        report=found,
        verdict=judge(found, GateSettings()),
        data=DataFacts(label="tiny", rows={}, cutoff=datetime(2026, 3, 1, tzinfo=UTC), content_hash="0" * 64),
        settings={},
    )
