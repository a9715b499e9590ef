from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.evaluation.evaluate import bootstrap_interval, evaluate
from two_tower_assets.evaluation.plots import MAX_BYTES, curves_plot, report_plot
from two_tower_assets.evaluation.report import MODEL, MOST_POPULAR, Report, loses_to_popularity
from two_tower_assets.evaluation.selection import fit_for_selection, refit
from two_tower_assets.settings import GateSettings
from two_tower_assets.training.trainer import Curves
from two_tower_assets_tests.features.worlds import START, uid, world
from two_tower_assets_tests.training.tastes import SMALL, cut, data_of, tastes

PNG = b"\x89PNG\r\n"


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    place = tastes(users=60, videos=400, decisions=25)
    folder = tmp_path_factory.mktemp("world")
    selection = fit_for_selection(data_of(place, folder / "a", cut(place, "validation_from")), SMALL)
    assert selection.curves.recalls
    data = data_of(place, folder / "b", cut(place, "test_from"))
    return evaluate(refit(data, SMALL, steps=selection.steps), data, SMALL.evaluation)


def test_towers_learn_latent_taste_that_popularity_cannot_see(report: Report) -> None:
    """Where each user likes one tag only, the towers beat most-popular by far, and the gate lets them pass."""
    assert report.known_users.users > 20
    assert report.metric(MODEL, "recall@200") > 1.3 * report.metric(MOST_POPULAR, "recall@200")
    assert report.recall_gain is not None
    assert report.recall_gain.low > 0
    assert loses_to_popularity(report, GateSettings()) is None


def test_a_report_is_json_and_names_every_method_and_metric(report: Report) -> None:
    """It reads back equal; coverage and all k are there for each method."""
    assert Report.model_validate_json(report.model_dump_json()) == report
    assert set(report.known_users.metrics) == {MODEL, MOST_POPULAR, "popular_1_days"}
    for metrics in report.known_users.metrics.values():
        assert set(metrics) == {"recall@5", "recall@200", "ndcg@10", "coverage@10"}
        assert all(0 <= value <= 1 for value in metrics.values())


def with_recall(report: Report, model: float, popular: float) -> Report:
    metrics = {MODEL: {"recall@200": model}, MOST_POPULAR: {"recall@200": popular}}
    return report.model_copy(update={"known_users": report.known_users.model_copy(update={"metrics": metrics})})


@pytest.mark.parametrize(
    ("model", "popular", "ratio", "reason"),
    [
        (0.5, 0.5, 1.0, None),
        (0.499, 0.5, 1.0, "below 0.5000"),
        (0.499, 0.5, 0.9, None),
        (0.5, 0.5, 1.1, "below 0.5500"),
        (0.0, 0.0, 1.0, "is 0"),
    ],
)
def test_the_verdict_compares_recall_with_its_ratio_of_popularity(
    report: Report, model: float, popular: float, ratio: float, reason: str | None
) -> None:
    """At the bound a model passes; below it, or finding nothing, it does not."""
    verdict = loses_to_popularity(with_recall(report, model, popular), GateSettings(min_recall_ratio=ratio))
    assert (verdict is None) if reason is None else (verdict is not None and reason in verdict)


def test_a_window_that_cannot_be_measured_is_refused_with_the_reason(tmp_path: Path) -> None:
    """One user whose last decision is a NOPE: no target, no figures, a verdict that says what to do."""
    rows = [(uid(0), uid(video), "like", START.replace(hour=6 + video)) for video in range(4)]
    rows.append((uid(0), uid(4), "nope", START.replace(hour=20)))
    place = world([{"id": uid(video)} for video in range(8)], rows)
    data = data_of(place, tmp_path, cut(place, "test_from"))
    empty = evaluate(refit(data, SMALL, steps=2), data, SMALL.evaluation)
    assert empty.known_users.users == 0
    assert empty.recall_gain is None
    verdict = loses_to_popularity(empty, GateSettings())
    assert verdict is not None
    assert "evaluation.test_quantile" in verdict
    assert report_plot(empty).startswith(PNG)


def test_the_bootstrap_interval_holds_the_mean_and_narrows_with_users() -> None:
    """Same values, same interval; a constant difference has none; a hundred times the users, a tenth the width."""
    few = np.random.default_rng(0).normal(0.1, 0.2, 100)
    narrow, wide = bootstrap_interval(np.tile(few, 100)), bootstrap_interval(few)
    assert wide == bootstrap_interval(few)
    assert wide.low < wide.mean < wide.high
    assert (narrow.high - narrow.low) == pytest.approx((wide.high - wide.low) / 10, rel=0.15)
    constant = bootstrap_interval(np.full(10, 0.25))
    assert (constant.low, constant.mean, constant.high) == (0.25, 0.25, 0.25)


def test_plots_are_small_png_images(report: Report) -> None:
    """Also of a long fit, and of one that was not validated."""
    noise = np.random.default_rng(0).normal(5, 0.3, 5000).tolist()
    images = [
        report_plot(report),
        curves_plot(Curves(losses=noise, recalls=[(50, 0.1), (100, 0.2)])),
        curves_plot(Curves(losses=[1.0])),
    ]
    assert all(image.startswith(PNG) and len(image) < MAX_BYTES for image in images)
