"""From served lists to decisions: which count for whom, by hand, on a real Postgres."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest

from two_tower_assets.experiments.readout.planning import read_plan
from two_tower_assets.experiments.readout.rows import LeftOut, read_credits, read_entries, read_users
from two_tower_assets_tests.experiments.readout.rows_of import (
    DAY,
    HOUR,
    LATER,
    START,
    Connection,
    decided,
    plan_experiment,
    serve,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def rows(connection: Connection, *, until: object = LATER) -> list[tuple[object, ...]]:
    """Arm, day after the start, likes, decisions, the same before, users."""
    found = read_users(connection, read_plan(connection, "taste"), until=until).users  # type: ignore[arg-type]
    return [
        (str(arm), int((day - found.day.dtype.type(START.date())).astype(int)), *map(int, numbers))
        for arm, day, *numbers in zip(
            found.arm, found.day, found.likes, found.decisions, found.likes_before, found.decisions_before,
            found.users, strict=True,
        )
    ]  # fmt: skip


def left_out(connection: Connection) -> LeftOut:
    return read_users(connection, read_plan(connection, "taste"), until=LATER).left_out


def test_a_decision_counts_after_a_list_that_showed_the_video_and_within_the_window(connection: Connection) -> None:
    """Shown and within a day of entering: one LIKE and one NOPE of five decisions, of which one had no exposure."""
    plan_experiment(connection)
    serve(connection, 1, "candidate", [1, 2, 3], HOUR)
    decided(connection, 1, 1, 2 * HOUR)
    decided(connection, 1, 2, 3 * HOUR, "nope")
    decided(connection, 1, 3, HOUR + DAY)  # the window is over
    decided(connection, 1, 9, 2 * HOUR)  # never shown
    decided(connection, 1, 8, -HOUR)  # before
    assert rows(connection) == [("candidate", 1, 1, 2, 1, 1, 1)]
    assert left_out(connection) == LeftOut(unexposed=1)


def test_a_video_counts_from_the_first_list_that_shows_it(connection: Connection) -> None:
    """Decided an hour before the list that showed it: no exposure; after it: counted once though shown twice."""
    plan_experiment(connection)
    serve(connection, 1, "control", [1], HOUR)
    serve(connection, 1, "control", [2, 3], 3 * HOUR)
    serve(connection, 1, "control", [3], 5 * HOUR)
    decided(connection, 1, 2, 2 * HOUR)
    decided(connection, 1, 3, 6 * HOUR)
    assert rows(connection) == [("control", 1, 1, 1, 0, 0, 1)]
    assert left_out(connection).unexposed == 1


def test_a_user_counts_when_the_window_is_over(connection: Connection) -> None:
    """Not a minute before a day after the first list, however many lists came since; and then on that day."""
    plan_experiment(connection)
    serve(connection, 1, "control", [1], HOUR)
    serve(connection, 1, "control", [2], 20 * HOUR)
    assert rows(connection, until=START + HOUR + DAY - MINUTE) == []
    assert rows(connection, until=START + HOUR + DAY) == [("control", 1, 0, 0, 0, 0, 1)]


def test_the_past_is_that_of_four_weeks_before_entering(connection: Connection) -> None:
    """Decisions of any video: 28 days and no longer before, and none of what is decided on the lists."""
    plan_experiment(connection)
    serve(connection, 1, "control", [1], HOUR)
    decided(connection, 1, 2, HOUR - 28 * DAY + MINUTE)
    decided(connection, 1, 3, HOUR - 28 * DAY - MINUTE)
    decided(connection, 1, 4, -DAY, "nope")
    decided(connection, 1, 1, 2 * HOUR)
    assert rows(connection) == [("control", 1, 1, 1, 1, 2, 1)]


def test_a_clock_that_is_a_little_slow_is_put_up_with(connection: Connection) -> None:
    """Four minutes older than the list: attributed and counted as doubtful; six minutes: not attributed."""
    plan_experiment(connection)
    serve(connection, 1, "control", [1], HOUR)
    serve(connection, 1, "control", [2], 2 * HOUR)
    decided(connection, 1, 1, HOUR - 4 * MINUTE)
    decided(connection, 1, 2, 2 * HOUR - 6 * MINUTE)
    assert rows(connection) == [("control", 1, 1, 1, 0, 0, 1)]
    assert left_out(connection) == LeftOut(unexposed=1, early=1)


def test_users_of_two_arms_are_left_out_unless_they_switch_after_their_window(connection: Connection) -> None:
    """A merge of accounts within the day leaves a user out, one after it changes nothing of what was measured."""
    plan_experiment(connection)
    serve(connection, 1, "control", [1], HOUR)
    serve(connection, 1, "candidate", [1], 2 * HOUR)
    serve(connection, 2, "control", [1], HOUR)
    serve(connection, 2, "candidate", [1], HOUR + 2 * DAY)
    assert rows(connection) == [("control", 1, 0, 0, 0, 0, 1)]
    assert left_out(connection) == LeftOut(switched=1)


def test_users_of_another_experiment_are_left_out(connection: Connection) -> None:
    """Served by both within the window, as where slices were moved by hand; lists of no experiment do no harm."""
    plan_experiment(connection, traffic="[0,0.5)")
    plan_experiment(connection, "other", traffic="[0.5,1)")
    serve(connection, 1, "control", [1], HOUR)
    serve(connection, 1, "control", [1], 2 * HOUR, experiment="other")
    serve(connection, 2, "control", [1], HOUR)
    serve(connection, 2, "live", [5], 2 * HOUR, experiment=None)
    decided(connection, 2, 5, 3 * HOUR)
    assert rows(connection) == [("control", 1, 0, 0, 0, 0, 1)]
    assert left_out(connection) == LeftOut(overlapping=1, unexposed=1)


def test_users_enter_once_and_lists_are_counted_each(connection: Connection) -> None:
    """By the arm and day of the first list; lists and places by their own."""
    plan_experiment(connection)
    serve(connection, 1, "control", [1, 2], HOUR)
    serve(connection, 1, "control", [1, 2, 3], DAY)
    serve(connection, 2, "candidate", [1], DAY)
    entries = read_entries(connection, read_plan(connection, "taste"), until=LATER)
    assert [(each.arm, (each.day - START.date()).days, each.users, each.lists, each.places) for each in entries] == [
        ("candidate", 1, 1, 1, 1),
        ("control", 0, 1, 1, 2),
        ("control", 1, 0, 1, 3),
    ]


def test_an_interleaved_like_is_credited_to_the_team_that_showed_it_first(connection: Connection) -> None:
    """Video 2 was the arm's pick at first and the control's later; a NOPE credits nobody."""
    plan_experiment(connection, kind="interleaving", primary="preference")
    serve(connection, 1, "interleaved", [1, 2], HOUR, teams=["control", "arm"])
    serve(connection, 1, "interleaved", [2, 3], 2 * HOUR, teams=["control", "arm"])
    decided(connection, 1, 2, 3 * HOUR)
    decided(connection, 1, 1, 3 * HOUR)
    decided(connection, 1, 3, 3 * HOUR, "nope")
    serve(connection, 2, "interleaved", [1], HOUR, teams=["arm"])
    given, doubts = read_credits(connection, read_plan(connection, "taste"), until=LATER)
    assert sorted(zip(given.control, given.arm, given.users, strict=True)) == [(0, 0, 1), (1, 1, 1)]
    assert doubts == LeftOut()
