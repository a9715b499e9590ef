"""What a worker is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from two_tower_assets.errors import TuningError
from two_tower_assets.features.times import moment_of
from two_tower_assets.tuning.window import open_window, write_window
from two_tower_assets_tests.training.tastes import SMALL
from two_tower_assets_tests.tuning.searching import trials_in


def test_no_decision_of_the_test_window_reaches_a_worker(tmp_path: Path) -> None:
    """Of the whole folder every time of a decision lies before the window, whose decisions do exist."""
    trials = trials_in(tmp_path / "snapshot")
    write_window(trials, tmp_path / "window")
    test_from = moment_of(trials.examples.split.test_from)
    late = pl.col("created_at") >= test_from
    assert trials.source.snapshot.decisions().filter(late).collect().height > 0
    given = pl.read_parquet(tmp_path / "window" / "decisions.parquet")
    assert given.filter(late).is_empty()
    assert given.height == trials.source.snapshot.decisions().filter(~late).collect().height
    assert {path.name for path in (tmp_path / "window").iterdir()} == {
        "decisions.parquet",
        "profiles.parquet",
        "videos.parquet",
        "window.json",
    }


def test_a_worker_is_asked_what_the_validation_window_asks(tmp_path: Path) -> None:
    """Cut out of the past alone: the same users, moments, targets and candidates as cut out of everything."""
    trials = trials_in(tmp_path / "snapshot")
    write_window(trials, tmp_path / "window")
    window, whole = open_window(tmp_path / "window", SMALL), trials.validation
    known = whole.task.part(whole.task.has_history)
    assert window.data.history.user_ids[window.task.users].to_list() == (
        whole.data.history.user_ids[known.users].to_list()
    )
    assert window.data.until == whole.data.until
    assert np.array_equal(window.task.targets.place, known.targets.place)
    assert np.array_equal(window.task.candidates, known.candidates)
    assert len(window.data.likes) == len(whole.data.likes)


def test_a_fixed_sample_of_the_users_is_asked(tmp_path: Path) -> None:
    """Every worker draws the same ones."""
    trials = trials_in(tmp_path / "snapshot")
    write_window(trials, tmp_path / "window")
    few = SMALL.model_copy(update={"tuning": SMALL.tuning.model_copy(update={"users": 5})})
    first, second = (open_window(tmp_path / "window", few).task.users for _ in range(2))
    assert len(first) == 5
    assert np.array_equal(first, second)


def test_a_window_without_known_users_is_refused_with_what_to_change(tmp_path: Path) -> None:
    """Everything is validation: nobody has a past."""
    evaluation = SMALL.evaluation.model_copy(update={"validation_quantile": 1e-6})
    trials = trials_in(tmp_path / "snapshot")
    early = type(trials.examples)(
        trials.examples.decision,
        type(trials.examples.split)(0, trials.examples.split.test_from, trials.examples.split.end),
    )
    write_window(type(trials)(trials.source, early), tmp_path / "window")
    with pytest.raises(TuningError, match=r"No known user.*smaller validation_quantile"):
        open_window(tmp_path / "window", SMALL.model_copy(update={"evaluation": evaluation}))
