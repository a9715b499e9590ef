from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.champion import compare_with_live
from two_tower_assets.evaluation.contest import baseline_results
from two_tower_assets.evaluation.evaluate import Champion, Measured, evaluate
from two_tower_assets.evaluation.fits import refit
from two_tower_assets.evaluation.gate import judge
from two_tower_assets.evaluation.nearness import nearness
from two_tower_assets.evaluation.plots import curves_plot, report_plot
from two_tower_assets.evaluation.png import MAX_BYTES
from two_tower_assets.evaluation.recipe import Recipe
from two_tower_assets.evaluation.report import (
    ALL,
    CHAMPION,
    FALLBACK,
    MODEL,
    NDCG,
    RECALL,
    RERANKED,
    Report,
)
from two_tower_assets.evaluation.selection import Selection, heaviest, lightest, select
from two_tower_assets.evaluation.towers import rankings_of
from two_tower_assets.evaluation.trials import GLOBAL, NEW_VIDEOS, PER_USER, Trials, trials_of
from two_tower_assets.evaluation.variants import FULL, Bench, choose
from two_tower_assets.settings import EvaluationSettings, GateSettings, Settings, TrainingSettings
from two_tower_assets.training.trainer import Curves, Fit
from two_tower_assets_tests.features.worlds import START, World, uid, world
from two_tower_assets_tests.training.tastes import SMALL, tastes

PNG = b"\x89PNG\r\n"
SETTINGS = SMALL.model_copy(
    update={"evaluation": EvaluationSettings(resamples=200), "training": SMALL.training.model_copy()}
)


def trials_in(place: World, folder: Path, settings: Settings = SETTINGS) -> Trials:
    """Trials of a world whose videos have titles and makers."""
    videos = place.videos.with_columns(
        title=pl.format("Video {}", pl.int_range(pl.len())),
        maker=pl.format("Maker {}", pl.int_range(pl.len()) % 5),
    )
    dataclasses.replace(place, videos=videos).snapshot(folder)
    source = dataclasses.replace(place, videos=videos).snapshot(folder)
    return Trials(*_source(source, settings))


def _source(snapshot: object, settings: Settings) -> tuple[object, object]:
    from two_tower_assets.evaluation.trials import Source  # noqa: PLC0415 - a helper of this module alone
    from two_tower_assets.training.examples import find_examples  # noqa: PLC0415 - same

    source = Source.of(snapshot, settings.features, settings.evaluation)
    return source, find_examples(source.history, settings.evaluation)


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Trials:
    return trials_in(tastes(users=60, videos=400, decisions=25), tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def selection(trials: Trials) -> Selection:
    return select(trials.validation, trials.videos, SETTINGS)


@pytest.fixture(scope="module")
def fitted(trials: Trials, selection: Selection) -> Fit:
    return refit(trials.test.data, SETTINGS, selection.choices)


@pytest.fixture(scope="module")
def measured(trials: Trials, selection: Selection, fitted: Fit) -> dict[str, Measured]:
    towers = rankings_of(fitted.model, trials, selection.choices, SETTINGS)
    results = {name: baseline_results(name, trials) for name in ("most_popular", "popular_7_days", "content_cosine")}
    return {
        name: Measured(
            trial,
            {**towers[name], **{key: of[name].ranking for key, of in results.items() if name in of}},
            {key: of[name].baseline for key, of in results.items() if name in of},
        )
        for name, trial in trials.asked.items()
    }


@pytest.fixture(scope="module")
def report(trials: Trials, selection: Selection, measured: dict[str, Measured]) -> Report:
    return evaluate(measured, trials.videos, selection.choices, SETTINGS.evaluation, preset="content")


def test_towers_learn_latent_taste_that_popularity_cannot_see(report: Report) -> None:
    """Where each user likes one tag only, the towers beat most-popular by far, globally and user by user."""
    for name in (GLOBAL, PER_USER):
        trial = report.trial(name)
        own, popular = (trial.figure(trial.judged, method, RECALL) for method in (MODEL, "most_popular"))
        assert own.mean > 1.3 * popular.mean
        assert trial.groups[trial.judged].gains["most_popular"][RECALL].low > 0


def test_new_videos_are_found_by_their_tags(report: Report) -> None:
    """Popularity knows nothing of them; the towers find most of the liked ones among the first 200 of 400."""
    trial = report.trial(NEW_VIDEOS)
    assert trial.figure(ALL, "most_popular", RECALL).mean < 0.5
    assert trial.figure(ALL, MODEL, RECALL).mean > 0.8


def test_a_report_is_json_and_names_every_metric_with_its_interval(report: Report) -> None:
    """It reads back equal; means over users have intervals, figures of all lists have none."""
    assert Report.model_validate_json(report.model_dump_json()) == report
    judged = report.trial(GLOBAL).groups[report.trial(GLOBAL).judged]
    figures = judged.metrics[MODEL]
    assert {f"{name}@{k}" for name in ("recall", "ndcg") for k in (10, 50, 200)} < set(figures)
    assert {"mrr", "auc", "purity@10", "nope_rate@10", "novelty@10", "popularity_lift@10"} < set(figures)
    for name, figure in figures.items():
        assert (figure.low is None) == (name in {"coverage@10", "gini@10", "maker_hhi@10"}), name
    assert judged.metrics.keys() > {MODEL, RERANKED, FALLBACK, "content_cosine"}


def test_segments_are_parts_of_the_whole(report: Report) -> None:
    """Light and heavy users make up the known ones; tail and maker groups hold some of their targets."""
    groups = report.trial(GLOBAL).groups
    whole = groups[report.trial(GLOBAL).judged]
    parts = [groups[name] for name in ("light", "heavy") if name in groups]
    assert sum(part.users for part in parts) == whole.users
    makers = [groups[name].targets for name in ("large makers", "middle makers", "small makers") if name in groups]
    assert sum(makers) == whole.targets


def test_what_was_chosen_is_in_the_report_with_its_curve(report: Report) -> None:
    """A point for each taste weight, NOPEs being there, and a calibration measured on the test window."""
    assert [point.taste_weight for point in report.choices.trade_off] == list(SETTINGS.training.taste_weights)
    assert report.choices.steps in SETTINGS.training.schedules
    assert report.calibration is not None
    assert 0 <= report.calibration.expected_error <= 1
    assert sum(count for _, _, count in report.calibration.reliability) == report.calibration.decisions


def test_taste_tells_like_from_nope(report: Report) -> None:
    """The heaviest weight has a higher AUC than none."""
    curve = report.choices.trade_off
    assert curve[-1].metrics["auc"] > curve[0].metrics["auc"] - 0.01
    assert curve[-1].metrics["auc"] > 0.8


def test_the_same_run_gives_the_same_figures_to_the_last_digit(trials: Trials, selection: Selection) -> None:
    """Selected, fitted and ranked anew: equal choices and equal lists."""
    again = select(trials.validation, trials.videos, SETTINGS)
    assert again.choices == selection.choices
    one, two = (
        rankings_of(refit(trials.test.data, SETTINGS, selection.choices).model, trials, selection.choices, SETTINGS)
        for _ in range(2)
    )
    for trial, methods in one.items():
        for method, ranking in methods.items():
            for name, value in vars(ranking).items():
                assert np.array_equal(value, getattr(two[trial][method], name)), (trial, method, name)


def test_a_champion_of_the_same_recipe_is_the_challenger(
    trials: Trials, selection: Selection, measured: dict[str, Measured]
) -> None:
    """Nothing is fitted, the gain is exactly nothing, and the gate lets it pass its champion's questions."""
    kept = Recipe.of(SETTINGS).model_dump(mode="json")
    compared = compare_with_live(
        trials.source.snapshot.folder, ("v", kept), SETTINGS, own=lambda: measured[GLOBAL].rankings
    )
    assert compared.missing is None
    together = dataclasses.replace(
        measured[GLOBAL], rankings={**measured[GLOBAL].rankings, CHAMPION: compared.ranking}
    )
    found = evaluate(
        {GLOBAL: together},
        trials.videos,
        selection.choices,
        SETTINGS.evaluation,
        preset="content",
        champion=Champion("v"),
    )
    trial = found.trial(GLOBAL)
    gain = trial.groups[trial.judged].gains[CHAMPION][RECALL]
    assert (gain.low, gain.mean, gain.high) == (0.0, 0.0, 0.0)
    asked = [answer for answer in judge(found, GateSettings(min_users=1)).answers if "champion" in answer.question]
    assert asked
    assert all(answer.passed for answer in asked)


@pytest.mark.parametrize(
    ("live", "reason"),
    [
        (("v", {}), "before recipes were kept"),
        (("v", {"features": {"no_such_setting": 1}, "model": {}, "training": {}}), "cannot follow: features"),
    ],
)
def test_a_champion_whose_recipe_is_lost_is_named_and_not_compared(
    tmp_path: Path, live: tuple[str, dict[str, object]], reason: str
) -> None:
    """The gate then refuses, with this reason."""
    compared = compare_with_live(tmp_path, live, SETTINGS, own=dict)
    assert compared.ranking is None
    assert reason in compared.missing


def test_the_heaviest_taste_that_costs_little_is_taken() -> None:
    """With 3 % allowed up to 0.5: of costs 0, 2 and 4 % it is the second; without a curve none."""
    point = {0.0: 0.200, 0.25: 0.196, 0.5: 0.192, 1.0: 0.200}
    curve = tuple({"taste_weight": weight, "metrics": {"ndcg@10": value}} for weight, value in point.items())
    from two_tower_assets.evaluation.choices import TradeOff  # noqa: PLC0415 - of this test alone

    settings = TrainingSettings(taste_cost=0.03, largest_taste_weight=0.5)
    assert heaviest(tuple(TradeOff.model_validate(one) for one in curve), settings) == 0.25
    assert heaviest((), settings) == 0.0


def test_no_more_popularity_is_taken_than_is_needed() -> None:
    """The smallest weight within 2 % of the best."""
    assert lightest({0.0: 0.90, 0.1: 0.981, 0.5: 1.0}, 0.02) == 0.1
    assert lightest({0.0: 0.99, 0.1: 1.0}, 0.02) == 0.0


def test_a_model_is_near_itself_and_far_from_a_stranger(trials: Trials, fitted: Fit, selection: Selection) -> None:
    """The same weights share all videos; untrained ones find less, and are refused with the figure."""
    same = nearness(fitted.model, fitted.model, trials, trials.test.space)
    assert same.overlap == 1.0
    assert same.too_far(GateSettings()) is None
    stranger = refit(trials.test.data, SETTINGS, selection.choices.model_copy(update={"steps": 1}))
    far = nearness(fitted.model, stranger.model, trials, trials.test.space)
    assert far.shipped_recall < far.evaluated_recall
    assert "the refit went wrong" in far.too_far(GateSettings())


def test_variants_are_paired_with_the_full_recipe_and_kept(
    trials: Trials, selection: Selection, tmp_path: Path
) -> None:
    """Two seeds of the recipe and of one change; asked again nothing is fitted, and the rows are the same."""
    fits: list[str] = []

    def trial_of(settings: Settings) -> object:
        fits.append(settings.features.preset)
        return trials.per_user

    bench = Bench(trial_of, selection.choices, SETTINGS, tmp_path, "code")
    rows = list(bench.rows(choose(["no taste head"]), 2))
    assert [row.variant for row in rows] == [FULL, "no taste head"]
    assert all(interval.mean == 0 for interval in rows[0].gains.values())
    assert len(rows[1].by_seed[NDCG]) == 2
    assert len(list(tmp_path.glob("*.safetensors"))) == 4
    again = list(bench.rows(choose(["no taste head"]), 2))
    assert again == rows
    with pytest.raises(EvaluationError, match="no variant 'magic'"):
        choose(["magic"])


def test_a_window_that_cannot_be_measured_is_refused_with_the_reason(tmp_path: Path) -> None:
    """One user whose last decision is a NOPE: no target, no figures, a verdict that says what to do."""
    rows = [(uid(0), uid(video), "like", START.replace(hour=6 + video)) for video in range(4)]
    rows.append((uid(0), uid(4), "nope", START.replace(hour=20)))
    place = world([{"id": uid(video)} for video in range(8)], rows)
    trials = trials_in(place, tmp_path)
    selection = select(trials.validation, trials.videos, SETTINGS)
    model = refit(trials.test.data, SETTINGS, selection.choices).model
    towers = rankings_of(model, trials, selection.choices, SETTINGS)
    measured = {name: Measured(trial, towers[name]) for name, trial in trials.asked.items()}
    empty = evaluate(measured, trials.videos, selection.choices, SETTINGS.evaluation, preset="content")
    assert not empty.trial(GLOBAL).groups
    assert any(note.startswith("global") for note in empty.notes)
    verdict = judge(empty, GateSettings())
    assert not verdict.passed
    assert "evaluation.test_quantile" in verdict.reasons[0]
    assert report_plot(empty).startswith(PNG)


@pytest.mark.parametrize("kind", ["like", "nope"])
def test_decisions_of_one_kind_are_evaluated_or_refused_by_name(tmp_path: Path, kind: str) -> None:
    """All LIKEs: figures without AUC; all NOPEs: the error says that there is no LIKE."""
    rows = [
        (uid(user), uid(video), kind, START.replace(hour=1 + (user + video) % 20, minute=video))
        for user in range(12)
        for video in range(user % 3, 30, 3)
    ]
    trials = trials_in(world([{"id": uid(video)} for video in range(30)], rows), tmp_path)
    if kind == "nope":
        with pytest.raises(Exception, match="no LIKE"):
            select(trials.validation, trials.videos, SETTINGS)
        return
    selection = select(trials.validation, trials.videos, SETTINGS)
    towers = rankings_of(
        refit(trials.test.data, SETTINGS, selection.choices).model, trials, selection.choices, SETTINGS
    )
    found = evaluate(
        {PER_USER: Measured(trials.per_user, towers[PER_USER]), GLOBAL: Measured(trials.test, towers[GLOBAL])},
        trials.videos,
        selection.choices,
        SETTINGS.evaluation,
        preset="content",
    )
    figures = found.trial(PER_USER).groups[ALL].metrics[MODEL]
    assert "auc" not in figures
    assert figures["recall@200"].mean == 1.0
    assert not judge(found, GateSettings()).passed


def test_plots_are_small_png_images(report: Report) -> None:
    """Also of a long fit, and of one that was not validated."""
    noise = np.random.default_rng(0).normal(5, 0.3, 5000).tolist()
    images = [
        report_plot(report),
        curves_plot(Curves(losses=noise, validations=[(50, 0.1), (100, 0.2)])),
        curves_plot(Curves(losses=[1.0])),
    ]
    assert all(image.startswith(PNG) and len(image) < MAX_BYTES for image in images)


def test_trials_of_a_snapshot_are_cut_once() -> None:
    """Every method of a run answers the same tasks."""
    assert trials_of.cache_info().maxsize == 1
