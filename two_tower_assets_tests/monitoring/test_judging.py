"""Windows beside a reference: quiet ones, drifted ones, and those of which nothing can be said."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from two_tower_assets.errors import MonitoringError
from two_tower_assets.monitoring.counting import count
from two_tower_assets.monitoring.judging import Judge
from two_tower_assets.monitoring.observed import Observed, Window
from two_tower_assets.monitoring.reference import Reference
from two_tower_assets.monitoring.simulation.drifts import DRIFTS
from two_tower_assets.monitoring.thresholds import quiet_distances
from two_tower_assets.monitoring.words import drift_words
from two_tower_assets_tests.monitoring.observing import CUTOFF, SETTINGS, WEEK, judge_of, reference_of

FOUND_BY = {
    "a new tag on every second video": "unknown tags of what is decided on",
    "prices rise by 30 %": "price of the catalogue",
    "a tenth of the prices goes missing": "missing price in the catalogue",
    "half of the LIKEs become NOPEs": "share of LIKEs",
    "half of the swipes move to the grid": "decision types and surfaces",
    "half of the decisions are neither": "kinds of decisions",
    "features of videos are all zeros": "length of the catalogue",
}


def test_weeks_in_which_nothing_happened_are_quiet(observed: Observed, judge: Judge) -> None:
    """Seven of them, and every figure was measured."""
    for week in range(1, 8):
        report = judge.judge(observed, CUTOFF + week * WEEK, "v")
        assert not report.drifted, report.drifted
        assert all(each.value is not None and math.isfinite(each.value) for each in report.readings)


@pytest.mark.parametrize("name", DRIFTS)
def test_every_planted_drift_is_found_by_the_figure_it_is_about(observed: Observed, judge: Judge, name: str) -> None:
    """Within two weeks, and the words name it."""
    begin = CUTOFF + 2 * WEEK
    report = judge.judge(DRIFTS[name](observed, begin), begin + WEEK + timedelta(days=3), "v")
    assert FOUND_BY[name] in {each.name for each in report.drifted}
    words = " ".join(drift_words(report))
    assert "Drift:" in words
    assert FOUND_BY[name].lower() in words.lower()


def test_a_window_is_compared_when_it_is_whole(observed: Observed, judge: Judge) -> None:
    """Before that it says how many days have passed."""
    report = judge.judge(observed, CUTOFF + timedelta(days=6), "v")
    assert report.reason is not None
    assert report.reason.startswith("6 of 7 days have passed")
    assert not report.readings


def test_an_empty_window_says_that_nobody_came(observed: Observed, judge: Judge) -> None:
    """As does one with a single user, of whom nothing is concluded."""
    alone = observed.decisions.filter(pl.col("created_at") < CUTOFF)
    nobody = judge.judge(replace(observed, decisions=alone), CUTOFF + WEEK, "v")
    assert nobody.reason is not None
    assert nobody.reason.startswith("0 users decided")
    since = observed.decisions.filter(pl.col("created_at") >= CUTOFF)
    one = pl.concat([alone, since.filter(pl.col("user_id") == since["user_id"][0])])
    window = judge.judge(replace(observed, decisions=one), CUTOFF + 8 * WEEK, "v")
    assert window.reason is not None
    assert "of fewer than 20" in window.reason


def test_too_short_a_past_is_said(observed: Observed) -> None:
    """Two weeks do not tell how weeks differ."""
    first = observed.decisions["created_at"].min()
    assert first is not None
    late = observed.decisions.filter(pl.col("created_at") >= CUTOFF - 2 * WEEK)
    report = judge_of(replace(observed, decisions=late)).judge(observed, CUTOFF + WEEK, "v")
    assert report.reason is not None
    assert "trained on 2 windows" in report.reason


def test_a_column_that_goes_missing_altogether_is_drift_and_no_error(observed: Observed, judge: Judge) -> None:
    """Whether it is null in every row or not there."""
    gone = replace(observed, videos=observed.videos.drop("price"))
    null = replace(observed, videos=observed.videos.with_columns(pl.lit(None, pl.Float64).alias("price")))
    reports = [judge.judge(each, CUTOFF + WEEK, "v") for each in (gone, null)]
    assert reports[0] == reports[1]
    assert "missing price in the catalogue" in {each.name for each in reports[0].drifted}


def test_a_column_that_nobody_knows_changes_nothing(observed: Observed, judge: Judge) -> None:
    """A source may have more of them tomorrow."""
    wider = replace(observed, videos=observed.videos.with_columns(mood=pl.lit("fine")))
    assert judge.judge(wider, CUTOFF + WEEK, "v") == judge.judge(observed, CUTOFF + WEEK, "v")


@pytest.mark.parametrize("odd", [math.nan, math.inf, -math.inf])
def test_numbers_that_are_none_count_as_missing(observed: Observed, judge: Judge, odd: float) -> None:
    """A catalogue full of them has drifted, with finite figures."""
    broken = replace(observed, videos=observed.videos.with_columns(pl.lit(odd).alias("price")))
    report = judge.judge(broken, CUTOFF + WEEK, "v")
    assert "missing price in the catalogue" in {each.name for each in report.drifted}
    assert all(each.value is None or math.isfinite(each.value) for each in report.readings)


def test_what_was_all_null_and_stays_so_is_quiet(observed: Observed) -> None:
    """A data set without prices never hears of them."""
    bare = replace(observed, videos=observed.videos.with_columns(pl.lit(None, pl.Float64).alias("price")))
    assert not judge_of(bare).judge(bare, CUTOFF + WEEK, "v").drifted


def test_a_small_shift_is_no_drift_however_sure(observed: Observed) -> None:
    """With bounds at chance alone a tenth of a per cent would alarm in a crowd large enough; the floors forbid it."""
    report = judge_of(observed).judge(observed, CUTOFF + WEEK, "v")
    floors = {"psi": SETTINGS.smallest_psi, "jensen_shannon": SETTINGS.smallest_jensen_shannon}
    assert all(each.bound >= floors.get(each.measure, SETTINGS.smallest_difference) for each in report.readings)


def test_the_reference_is_kept_without_an_id(observed: Observed, tmp_path: Path) -> None:
    """Written and read back it judges alike, and no user or video can be found in its bytes."""
    reference = reference_of(observed)
    reference.save(tmp_path / "reference")
    again = Reference.load(tmp_path / "reference")
    end = CUTOFF + WEEK
    assert Judge(again, SETTINGS).judge(observed, end, "v") == Judge(reference, SETTINGS).judge(observed, end, "v")
    content = (tmp_path / "reference").read_bytes()
    users, videos = observed.decisions["user_id"].unique().to_list(), observed.videos["id"].to_list()
    assert not any(each.encode() in content for each in (*users, *videos))


def test_another_file_is_no_reference(tmp_path: Path) -> None:
    """The refusal names the file, and what to do."""
    (tmp_path / "odd").write_bytes(b"something else")
    with pytest.raises(MonitoringError, match=r"odd\]\. Release a version"):
        Reference.load(tmp_path / "odd")


def test_rows_of_one_user_are_drawn_together() -> None:
    """Twenty users of a hundred equal rows are as uncertain as twenty rows, not as two thousand."""
    users, kinds = 200, np.random.default_rng(1).random(200) < 0.5
    reference = _of_kinds(np.repeat(kinds, 1))
    clustered = _of_kinds(np.repeat(kinds, 100), users=np.repeat(np.arange(users), 100))
    alone, together = (
        quiet_distances(each.crowds["people"], 200, 1000)[:, _place(each, "share of LIKEs")].mean()
        for each in (reference, clustered)
    )
    assert together == pytest.approx(alone, rel=0.15)


def _of_kinds(likes: np.ndarray, users: np.ndarray | None = None) -> Reference:
    """A reference of one window in which these decisions were taken."""
    who = np.arange(len(likes)) if users is None else users
    decisions = pl.DataFrame(
        {
            "user_id": [f"{user:06d}" for user in who],
            "video_id": [f"{number:06d}" for number in range(len(likes))],
            "decision_type": np.where(likes, "like", "nope"),
            "created_at": pl.Series([CUTOFF - timedelta(hours=1)] * len(likes), dtype=pl.Datetime("us", "UTC")),
        }
    )
    videos = pl.DataFrame({"id": decisions["video_id"].unique().sort()})
    profiles = pl.DataFrame(schema={"user_id": pl.String, "created_at": pl.Datetime("us", "UTC")})
    rows = Observed(decisions.sort("user_id", "created_at", "video_id"), videos, profiles)
    return Reference.of(rows, CUTOFF, {"tags": (), "performers": ()}, SETTINGS)


def _place(reference: Reference, name: str) -> int:
    return [each.name for each in reference.crowds["people"].layout.figures].index(name)


def test_counts_are_of_every_row_once(observed: Observed, judge: Judge) -> None:
    """Each decision of a window is in one bin of each figure about it, whoever took it."""
    layout = judge.reference.crowds["people"].layout
    window = Window.before(CUTOFF + WEEK, 7)
    counted = count(layout, observed, window, judge.reference.vocabularies)
    decided = observed.decisions.filter(pl.col("created_at").is_between(window.start, window.end, closed="left"))
    assert counted.blocks == decided["user_id"].n_unique()
    assert counted.totals[layout.places["decisions.price.numbers"]].sum() == decided.height
    assert counted.totals[layout.places["users.like_ratio.numbers"]].sum() == counted.blocks
