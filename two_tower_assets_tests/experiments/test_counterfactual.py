"""What a candidate would have earned, from lists in a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import psycopg
import pytest

from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.counterfactual.showings import read_chances, read_showings
from two_tower_assets.experiments.counterfactual.value import candidate_value
from two_tower_assets.experiments.off_policy import Showings, self_normalised
from two_tower_assets_tests.database.rows import video_id
from two_tower_assets_tests.experiments.readout.rows_of import DAY, HOUR, LATER, START, Connection, decided, serve

WINDOW = timedelta(hours=24)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def chances(rows: list[tuple[str, int, float]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(list_id, video_id(video), chance) for list_id, video, chance in rows],
        schema=["list_id", "video_id", "chance"],
        orient="row",
    )


def served_world(connection: Connection, users: int = 600) -> list[str]:
    """Lists of one video: 0 or 1 with equal chance; 0 is liked by three in five, 1 by one in five."""
    random = np.random.default_rng(3)
    lists = []
    with connection.transaction():
        for user in range(users):
            video = int(random.random() < 0.5)
            lists.append(serve(connection, user, "live", [video], HOUR, experiment=None, chances=[0.5]))
            if random.random() < (0.2 if video else 0.6):
                decided(connection, user, video, 2 * HOUR)
    return lists


def test_places_are_read_with_what_came_of_them(connection: Connection) -> None:
    """By hand: a LIKE within the day counts, one after it or a NOPE does not; a video unnamed has chance 0."""
    one = serve(connection, 1, "live", [0, 1, 2], HOUR, experiment=None, chances=[0.5, 0.25, 1.0])
    fresh = serve(connection, 2, "live", [0], 59 * DAY + 2 * HOUR, experiment=None)
    decided(connection, 1, 0, 2 * HOUR)
    decided(connection, 1, 1, HOUR + DAY)
    decided(connection, 1, 2, 3 * HOUR, "nope")
    wanted = chances([(one, 0, 0.25), (one, 1, 0.5), (fresh, 0, 1.0)])
    found, foretold = read_showings(connection, wanted, attribution=WINDOW, at=LATER)
    assert foretold is None
    assert sorted(zip(found.shown, found.wanted, found.reward, strict=True)) == [
        (0.25, 0.5, 0.0),
        (0.5, 0.25, 1.0),
        (1.0, 0.0, 0.0),
    ]


def test_the_candidates_truth_is_within_the_interval(connection: Connection) -> None:
    """A candidate that shows video 0 nine times in ten would earn 0.9 × 0.6 + 0.1 × 0.2 LIKEs."""
    lists = served_world(connection)
    wanted = chances([(list_id, video, 0.1 if video else 0.9) for list_id in lists for video in (0, 1)])
    found = candidate_value(*read_showings(connection, wanted, attribution=WINDOW, at=LATER))
    assert found.candidate.low is not None
    assert found.candidate.high is not None
    assert found.difference.low is not None
    assert found.candidate.low < 0.56 < found.candidate.high
    assert found.difference.low > 0
    assert found.users == found.showings == 600
    assert 300 < found.effective_users < 450
    assert found.doubly_robust is None


def test_chances_and_predictions_of_the_candidates_own_are_taken(connection: Connection) -> None:
    """Where they are given beside the candidate's: what was shown with, and what is foretold of each place."""
    one = serve(connection, 1, "live", [0, 1], HOUR, experiment=None, chances=[0.5, 1.0])
    given = chances([(one, 0, 0.25), (one, 1, 0.0)]).with_columns(
        shown=pl.Series([0.75, 0.125]), predicted=pl.Series([0.5, None]), expected=pl.Series([0.25, 0.75])
    )
    found, foretold = read_showings(connection, given, attribution=WINDOW, at=LATER)
    assert foretold is not None
    rows = zip(found.shown, found.wanted, foretold.shown, foretold.candidate, strict=True)
    assert [tuple(map(float, row)) for row in sorted(rows)] == [
        pytest.approx((0.125, 0.0, np.nan, 0.75), nan_ok=True),
        (0.75, 0.25, 0.5, 0.25),
    ]


def test_users_and_not_places_are_independent() -> None:
    """Every place ten times over says no more: the interval stays as wide as with one place a user."""
    random = np.random.default_rng(0)
    reward, wanted = (random.random(400) < 0.3).astype(float), random.choice([0.3, 0.7], 400)
    single = Showings(reward, np.full(400, 0.5), wanted, np.arange(400))
    tenfold = Showings(
        np.repeat(reward, 10), np.full(4000, 0.5), np.repeat(wanted, 10), np.repeat(np.arange(400), 10)
    )
    one, ten = candidate_value(single), candidate_value(tenfold)
    assert vars(one.candidate) == pytest.approx(vars(ten.candidate))
    assert vars(one.inverse_propensity) == pytest.approx(vars(ten.inverse_propensity))
    assert one.effective_users == pytest.approx(ten.effective_users)
    low, high = self_normalised(single).interval()
    assert (one.candidate.low, one.candidate.high) == pytest.approx((low, high))


def test_a_candidate_that_was_hardly_ever_seen_is_refused(connection: Connection) -> None:
    """It shows other videos half of the time; chances that are none; and too few users."""
    lists = served_world(connection)
    half = chances([(list_id, video, 0.25) for list_id in lists for video in (0, 1)])
    with pytest.raises(ExperimentError, match="never shown with any chance"):
        candidate_value(*read_showings(connection, half, attribution=WINDOW, at=LATER))
    double = chances([(list_id, video, 1.0) for list_id in lists for video in (0, 1)])
    with pytest.raises(ExperimentError, match=r"add up to 2\.00 a place"):
        candidate_value(*read_showings(connection, double, attribution=WINDOW, at=LATER))
    few = chances([(list_id, video, 0.5) for list_id in lists[:50] for video in (0, 1)])
    with pytest.raises(ExperimentError, match="its 50 users weigh as much as 50"):
        candidate_value(*read_showings(connection, few, attribution=WINDOW, at=LATER))


def test_lists_that_are_not_known_yet_are_refused(connection: Connection) -> None:
    """Served an hour ago, or never; and chances above one."""
    list_id = serve(connection, 1, "live", [0], HOUR, experiment=None)
    with pytest.raises(ExperimentError, match="None of the lists was served so long ago"):
        read_showings(connection, chances([(list_id, 0, 1.0)]), attribution=WINDOW, at=START + 2 * HOUR)
    with pytest.raises(ExperimentError, match="The chances cannot be used"):
        read_showings(connection, chances([(list_id, 0, 1.5)]), attribution=WINDOW, at=LATER)


def test_files_of_chances(tmp_path: Path) -> None:
    """CSV and Parquet say the same; anything else is refused with what is expected."""
    frame = chances([("A0000000-0000-4000-8000-000000000000", 1, 0.5)])
    frame.write_csv(tmp_path / "c.csv")
    frame.write_parquet(tmp_path / "c.parquet")
    read = read_chances(tmp_path / "c.csv")
    assert read.equals(read_chances(tmp_path / "c.parquet"))
    assert read["list_id"].item().startswith("a0000000")
    pl.concat([frame, frame]).write_csv(tmp_path / "twice.csv")
    frame.drop("chance").write_csv(tmp_path / "short.csv")
    (tmp_path / "c.txt").write_text("")
    for name, message in (
        ("twice.csv", "two chances"),
        ("short.csv", "cannot be read"),
        ("c.txt", "neither Parquet"),
    ):
        with pytest.raises(ExperimentError, match=message):
            read_chances(tmp_path / name)
