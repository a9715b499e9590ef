from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.baselines import BASELINES, Baseline
from two_tower_assets.evaluation.baselines.popularity import popularity
from two_tower_assets.training.data import TrainingData
from two_tower_assets_tests.evaluation.baselines.places import Decision, asked, likes, past, ranked, scores
from two_tower_assets_tests.features.worlds import World, uid
from two_tower_assets_tests.training.tastes import cut, data_of, tastes

PERSONAL = BASELINES[3:]
SMALL_FACTORS = {"factors": 4, "iterations": 5}


def installed(baselines: Iterable[Baseline]) -> list[object]:
    """Parameters of tests, one a method; those of a library that is not here are skipped, saying so."""
    absent = importlib.util.find_spec("implicit") is None
    skip = pytest.mark.skipif(absent, reason="the extra `baselines` is not installed")
    return [
        pytest.param(baseline, id=baseline.name, marks=[skip] if baseline.name in {"als", "bpr"} else [])
        for baseline in baselines
    ]


every = pytest.mark.parametrize("baseline", installed(BASELINES))
personal = pytest.mark.parametrize("baseline", installed(PERSONAL))
compares_videos = pytest.mark.parametrize("baseline", installed(PERSONAL[1:]))


def test_methods_have_the_names_that_reports_use_and_small_grids() -> None:
    """At most six entries, all different, each of numbers."""
    assert [baseline.name for baseline in BASELINES] == [
        "most_popular",
        "popular_7_days",
        "popular_30_days",
        "content_cosine",
        "item_knn",
        "ease",
        "als",
        "bpr",
    ]
    for baseline in BASELINES:
        entries = {tuple(sorted(parameters.items())) for parameters in baseline.grid}
        assert 1 <= len(entries) == len(baseline.grid) <= 6


@pytest.fixture(scope="module")
def place() -> World:
    return tastes(users=30, videos=40, decisions=12)


@every
def test_decisions_after_the_cutoff_change_no_digit(place: World, tmp_path: Path, baseline: Baseline) -> None:
    """The world cut at the moment, users who come later gone with it, gives the same scores."""
    moment = cut(place, "test_from")
    newcomer = [("!", uid(video), "like", moment + timedelta(hours=video)) for video in range(5)]
    come = pl.DataFrame(newcomer, schema=place.decisions.schema, orient="row")
    later = dataclasses.replace(place, decisions=pl.concat([come, place.decisions]))
    whole = data_of(later, tmp_path / "whole", moment)
    before = data_of(place.until(moment), tmp_path / "before", moment, full=later)
    task = asked(whole).part(asked(whole).has_history)
    users = before.history.user_ids.search_sorted(whole.history.user_ids[task.users]).to_numpy().astype(np.int32)
    assert (users == task.users - 1).all()
    alone = dataclasses.replace(task, users=users, state_end=before.history.prefix_at(users, before.until))
    parameters = baseline.grid[-1]
    found = scores(baseline.fit(before, parameters), alone)
    assert len(found) > 5
    assert (found == scores(baseline.fit(whole, parameters), task)).all()


@personal
def test_a_taste_beats_popularity(place: World, tmp_path: Path, baseline: Baseline) -> None:
    """Users like one tag of four: of each one's first ten unseen videos the most have it."""
    data = data_of(place, tmp_path, cut(place, "test_from"))
    task = asked(data).part(asked(data).has_history)

    def share(score_UC: np.ndarray) -> float:  # type: ignore[type-arg]
        for row, user in enumerate(task.users):
            seen = data.history.video[data.history.user_offsets[user] : task.state_end[row]]
            score_UC[row, np.isin(task.candidates, seen)] = -np.inf
        top = task.candidates[np.argsort(-score_UC, axis=1)[:, :5]]
        tag = np.array([int(name[-4:], 16) % 4 for name in data.history.user_ids[task.users]])
        return float((top % 4 == tag[:, None]).mean())

    best = max(share(scores(baseline.fit(data, parameters), task)) for parameters in baseline.grid)
    assert best > 1.5 * share(scores(popularity(data), task))


@personal
def test_users_without_a_like_in_their_state_get_the_most_popular_order(
    place: World, tmp_path: Path, baseline: Baseline
) -> None:
    """Also where the state ends before LIKEs that the method has learned from, and for blocks of nobody else."""
    data = data_of(place, tmp_path, cut(place, "test_from"))
    task = asked(data)
    empty = dataclasses.replace(task, state_end=data.history.user_offsets[task.users])
    fitted = baseline.fit(data, baseline.grid[0])
    expected = ranked(scores(popularity(data), task))
    assert ranked(scores(fitted, empty)) == expected
    half = np.where(np.arange(len(task.users)) % 2, task.state_end, empty.state_end)
    mixed = dataclasses.replace(task, state_end=half)
    assert ranked(scores(fitted, mixed))[::2] == expected[::2]
    assert ranked(scores(fitted, task)) != expected


@every
def test_blocks_of_rows_agree_and_may_be_overwritten(place: World, tmp_path: Path, baseline: Baseline) -> None:
    """Any rows in any order, none as well; what the caller does to them stays the caller's."""
    data = data_of(place, tmp_path, cut(place, "test_from"))
    task = asked(data)
    score = baseline.fit(data, baseline.grid[0]).score(task)
    together = score(np.arange(len(task.users)))
    assert together.shape == (len(task.users), len(task.candidates))
    assert together.dtype == torch.float32
    whole = together.clone()
    together.fill_(-torch.inf)
    torch.testing.assert_close(score(np.array([3, 1])), whole[[3, 1]], rtol=1e-5, atol=1e-6)
    assert score(np.array([], dtype=np.int64)).shape == (0, len(task.candidates))


@compares_videos
@pytest.mark.parametrize(
    ("decisions", "reason"),
    [
        ([(1, 1, "nope", 1.0), (2, 1, "skip", 2.0)], "There is no LIKE before the cut-off"),
        (likes([(1, 1), (2, 1), (3, 1)]), "All LIKEs are of one video before the cut-off"),
        ([(1, 1, "like", 1.0), (1, 2, "like", 100.0)], "All LIKEs are of one video before the cut-off"),
    ],
    ids=["no like", "one video", "the second after the cut-off"],
)
def test_what_cannot_be_fitted_is_refused_with_the_reason(
    tmp_path: Path, baseline: Baseline, decisions: list[Decision], reason: str
) -> None:
    """An error for people, that concerns this method alone."""
    with pytest.raises(EvaluationError, match=reason):
        baseline.fit(past(tmp_path, decisions, videos=3, users=1), baseline.grid[0])


@every
def test_all_likes_of_one_user_can_be_learned_from(tmp_path: Path, baseline: Baseline) -> None:
    """There is little to say, and it is finite, for that user and for a new one."""
    items = [{"tags": ["a"]}, {"tags": ["b"]}, {"tags": ["a", "b"]}, {"tags": ["a"]}]
    data = past(tmp_path, likes([(1, 1), (1, 2), (1, 3)]), videos=items, users=2)
    score_UC = scores(baseline.fit(data, baseline.grid[0]), asked(data))
    assert score_UC.shape == (2, 4)
    assert np.isfinite(score_UC).all()


@personal
def test_a_catalogue_of_one_video_is_refused_by_all_but_popularity(tmp_path: Path, baseline: Baseline) -> None:
    """There is nothing to compare it with; popularity ranks it first."""
    data = past(tmp_path, likes([(1, 0), (2, 0)]), videos=[{"tags": ["a"]}], users=4)
    with pytest.raises(EvaluationError, match=r"one video|tells the videos apart"):
        baseline.fit(data, baseline.grid[0])
    assert scores(popularity(data), asked(data)).tolist() == [[1], [1]]


def small(parameters: dict[str, float]) -> dict[str, float]:
    """Fewer factors and iterations, where there are any."""
    return {**parameters, **{name: value for name, value in SMALL_FACTORS.items() if name in parameters}}


@every
@settings(max_examples=25, deadline=timedelta(seconds=20))
@given(decisions=st.data(), videos=st.integers(2, 6), entry=st.integers(0, 5))
def test_scores_are_finite_and_repeat_in_any_small_world(
    tmp_path_factory: pytest.TempPathFactory, baseline: Baseline, decisions: st.DataObject, videos: int, entry: int
) -> None:
    """Users, videos and kinds at random: either there is nothing to learn from, or every score is a number."""
    row = st.tuples(
        st.integers(0, 4), st.integers(0, videos), st.sampled_from(["like", "nope", "skip"]), st.integers(0, 110)
    )
    drawn = decisions.draw(st.lists(row, min_size=1, max_size=20, unique_by=lambda decision: decision[:2]))
    names = st.lists(st.sampled_from("ab"), unique=True)
    items = [{"tags": decisions.draw(names), "is_active": decisions.draw(st.booleans())} for _ in range(videos)]
    items[0] = {"tags": ["a"]}
    data: TrainingData = past(tmp_path_factory.mktemp("world"), drawn, videos=items, users=7)
    parameters = small(dict(baseline.grid[entry % len(baseline.grid)]))
    try:
        fitted = baseline.fit(data, parameters)
    except EvaluationError:
        assert len(np.unique(data.history.video[data.likes.decision])) < 2 or baseline.name == "content_cosine"
        return
    score_UC = scores(fitted, asked(data))
    assert score_UC.shape == (len(asked(data).users), len(data.catalogue))
    assert np.isfinite(score_UC).all()
    assert (scores(baseline.fit(data, parameters), asked(data)) == score_UC).all()
