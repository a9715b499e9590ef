from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.evaluate import Measured, evaluate
from two_tower_assets.evaluation.fallback import fallback_scores
from two_tower_assets.evaluation.gate import judge
from two_tower_assets.evaluation.page.data import PageData
from two_tower_assets.evaluation.page.document import render
from two_tower_assets.evaluation.page.gather import Evaluated, gather
from two_tower_assets.evaluation.ranking import rank
from two_tower_assets.evaluation.report import FALLBACK, MODEL
from two_tower_assets.evaluation.tower_scores import embed_videos
from two_tower_assets.evaluation.towers import tower_ranking
from two_tower_assets.evaluation.trials import GLOBAL, Source, Trials
from two_tower_assets.features.times import moment_of
from two_tower_assets.settings import EvaluationSettings
from two_tower_assets.sources.snapshot import TableFacts
from two_tower_assets.training.examples import find_examples
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import Curves
from two_tower_assets_tests.features.worlds import START, World, uid, world
from two_tower_assets_tests.training.tastes import SMALL, tastes

SETTINGS = SMALL.model_copy(update={"evaluation": EvaluationSettings(resamples=50)})
CHOICES = Choices(steps=2, taste_weight=0.0, popularity_weight=0.0, fallback_half_life_days=30.0, rerank_strength=0.0)
CURVES = Curves(losses=[2.0, 1.5], validations=[(2, 0.7)])


def trials_of(place: World, folder: Path) -> Trials:
    """Of a world whose videos have makers and titles, the first video excepted."""
    number = pl.int_range(pl.len())
    title = pl.when(number > 0).then(pl.format("Video {}", number))
    videos = place.videos.with_columns(title=title, maker=pl.format("Maker {}", number % 5))
    titled = dataclasses.replace(place, videos=videos)
    counts = {"videos": videos.height, "user_video_decisions": place.decisions.height}
    tables = {table: TableFacts(rows=rows, content_hash="", left_out={}) for table, rows in counts.items()}
    snapshot = dataclasses.replace(titled.snapshot(folder), tables=tables)
    source = Source.of(snapshot, SETTINGS.features, SETTINGS.evaluation)
    return Trials(source, find_examples(source.history, SETTINGS.evaluation))


def evaluated_in(trials: Trials) -> Evaluated:
    """Towers as they are before the first step, which rank like any others, and the fallback."""
    trial = trials.test
    torch.manual_seed(0)
    model = TwoTower(trial.space.user_dim, trial.space.item_dim, SETTINGS.model).eval()
    fallback = rank(trial.task, trial.data.history, fallback_scores(trial.data, trial.task, 30.0), 200)
    rankings = {MODEL: tower_ranking(model, trial, CHOICES), FALLBACK: fallback, "most_popular": fallback}
    measured = {GLOBAL: Measured(trial, rankings)}
    report = evaluate(measured, trials.videos, CHOICES, SETTINGS.evaluation, preset="content")
    return Evaluated(model, CURVES, rankings, report)


@pytest.fixture(scope="module")
def trials(tmp_path_factory: pytest.TempPathFactory) -> Trials:
    return trials_of(tastes(), tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="module")
def evaluated(trials: Trials) -> Evaluated:
    return evaluated_in(trials)


@pytest.fixture(scope="module")
def page(trials: Trials, evaluated: Evaluated) -> PageData:
    return gather(evaluated, trials, SETTINGS, label="tastes")


@pytest.fixture(scope="module")
def decisions(trials: Trials) -> pl.DataFrame:
    """The snapshot's own rows, with the title of each video."""
    number = trials.videos.with_row_index()["index"]
    titles = trials.videos.select(
        pl.col("id").alias("video_id"), pl.col("title").fill_null(pl.col("id").str.head(8)), video=number
    )
    return trials.source.snapshot.decisions().collect().join(titles, on="video_id")


def test_facts_settings_curves_and_verdict_are_those_of_the_run(
    page: PageData, trials: Trials, evaluated: Evaluated
) -> None:
    """80 videos, 600 decisions."""
    assert page.data.rows == {"videos": 80, "user_video_decisions": 600}
    assert (page.data.label, page.data.content_hash) == ("tastes", trials.source.snapshot.content_hash)
    assert page.settings == SETTINGS.model_dump(mode="json")
    assert (page.curves.losses, page.curves.validations) == ((2.0, 1.5), ((2, 0.7),))
    assert page.verdict == judge(evaluated.report, SETTINGS.gate)


def test_people_have_liked_what_the_rows_say_and_nothing_of_it_comes_back(
    page: PageData, trials: Trials, decisions: pl.DataFrame
) -> None:
    """Read again from the snapshot: LIKEs before the cut-off, newest first; later ones mark the suggestions."""
    moment = moment_of(trials.test.data.until)
    assert page.people
    for person in page.people:
        # Users are numbered in the last digits of their ids, so the beginning is shared; decisions tell them apart.
        suggested = {place.title for place in person.shown}
        matches = [
            rows
            for rows in decisions.partition_by("user_id")
            if _liked(rows, moment)[: len(person.liked)] == list(person.liked)
            and rows.filter(pl.col("created_at") < moment).height == person.decisions
        ]
        assert matches
        assert any(
            not suggested & set(rows.filter(pl.col("created_at") < moment)["title"]) and _marks(rows, person, moment)
            for rows in matches
        )


def _liked(rows: pl.DataFrame, moment: object) -> list[str]:
    past = rows.filter((pl.col("created_at") < moment) & (pl.col("decision_type") == "like"))
    return past.sort("created_at", "video", descending=True)["title"].to_list()


def _marks(rows: pl.DataFrame, person: object, moment: object) -> bool:
    later = dict(rows.filter(pl.col("created_at") >= moment).select("title", "decision_type").iter_rows())
    words = {"like": "liked", "nope": "noped", None: None}
    return all(place.later == words[later.get(place.title)] for place in person.shown)


def test_reasons_are_cosines_of_the_towers_own_vectors(
    page: PageData, trials: Trials, evaluated: Evaluated, decisions: pl.DataFrame
) -> None:
    """The similarity of a reason is the product of both videos' vectors."""
    number_of = dict(decisions.select("title", "video").unique().iter_rows())
    vectors = embed_videos(evaluated.model, trials.test.data, np.arange(80)).numpy()
    explained = [(place, reason) for person in page.people for place in person.shown for reason in place.reasons]
    assert explained
    for place, reason in explained:
        if {place.title, reason.title} <= number_of.keys():
            cosine = vectors[number_of[place.title]] @ vectors[number_of[reason.title]]
            assert reason.similarity == pytest.approx(cosine, abs=1e-5)


def test_exposure_sets_the_towers_beside_baselines_alone(page: PageData) -> None:
    """The fallback is a part of the towers' service; makers are five, and all shares add up."""
    assert page.exposure is not None
    assert set(page.exposure.shown_deciles) == {MODEL, "most_popular"}
    assert {maker.name for maker in page.exposure.makers} <= {f"Maker {number}" for number in range(5)}
    assert sum(maker.shown[MODEL] for maker in page.exposure.makers) == pytest.approx(1)
    assert all(sum(shares) == pytest.approx(1) for shares in page.exposure.shown_deciles.values())


def test_the_map_holds_the_catalogue_and_names_a_video_without_a_title_by_its_id(
    page: PageData, trials: Trials
) -> None:
    assert page.video_map is not None
    assert len(page.video_map.points) == page.video_map.videos == len(trials.test.task.candidates)
    assert page.video_map.points[0].title == trials.videos["id"][0][:8]
    assert set(page.video_map.tags) == {f"tag {number}" for number in range(4)}


def test_the_same_run_gives_the_same_page(page: PageData, trials: Trials, evaluated: Evaluated) -> None:
    assert render(gather(evaluated, trials, SETTINGS, label="tastes")) == render(page)


def test_a_window_without_a_like_has_a_map_and_no_people(tmp_path: Path) -> None:
    """All decisions of the window are NOPEs: nobody is asked, the model is refused, and the page says so."""
    videos = [{"id": uid(video)} for video in range(12)]
    rows = [(uid(user), uid(video), "like", START.replace(hour=video)) for user in range(3) for video in range(8)]
    rows += [(uid(user), uid(video), "nope", START.replace(hour=20)) for user in range(3) for video in range(8, 12)]
    trials = trials_of(world(videos, rows), tmp_path)
    found = gather(evaluated_in(trials), trials, SETTINGS, label="nobody")
    assert (found.people, found.exposure) == ((), None)
    assert found.video_map is not None
    assert len(found.video_map.points) == 12
    assert not found.verdict.passed
    assert "Refused" in render(found)
