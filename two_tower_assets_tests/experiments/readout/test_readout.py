"""A whole look at an experiment through the database: what is found, what is not claimed, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import psycopg
import pytest

from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.readout.figures import Readout, Verdict
from two_tower_assets.experiments.readout.gather import look, readout
from two_tower_assets.experiments.readout.kept import load, save
from two_tower_assets.experiments.readout.planning import read_plan
from two_tower_assets.experiments.readout.promotion import require_promotable
from two_tower_assets.experiments.readout.rows import read_users
from two_tower_assets.experiments.readout.users import Users
from two_tower_assets_tests.experiments.readout.rows_of import (
    DAY,
    HOUR,
    LATER,
    START,
    Connection,
    crowd,
    decided,
    people,
    plan_experiment,
    serve,
    two_arms,
)


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


def verdict(connection: Connection, name: str = "taste", arm: str = "candidate") -> Verdict:
    found = readout(connection, name, at=LATER).verdict_of(arm)
    assert found is not None
    return found


def test_a_planted_effect_is_found_and_may_be_promoted(connection: Connection) -> None:
    """A third more LIKEs: better, within the bounds, less noisy by the past, and no guardrail is harmed."""
    plan_experiment(connection, guardrails=["decisions_per_user", "like_rate"])
    two_arms(connection, 0.35)
    found = readout(connection, "taste", at=LATER)
    primary = found.primary_of("candidate")
    assert primary.relative is not None
    assert primary.relative.low is not None
    assert primary.relative.high is not None
    assert 0 < primary.relative.low < 0.35 < primary.relative.high
    assert primary.variance_left is not None
    assert primary.variance_left < 0.75
    assert (found.verdicts[0].decision, found.verdicts[0].promotable) == ("better", True)
    assert "candidate is better than control in likes per user" in found.verdicts[0].text
    assert require_promotable(connection, "taste", "candidate", at=LATER) == found.verdicts[0]
    assert [arm.counted for arm in found.arms] == [500, 500]


def test_a_harm_is_found(connection: Connection) -> None:
    """A third fewer: worse, and refused in words that say what to do."""
    plan_experiment(connection)
    two_arms(connection, -0.35)
    assert verdict(connection).decision == "worse"
    with pytest.raises(ExperimentError, match=r"may not be promoted: .* worse .*Stop it and keep the control"):
        require_promotable(connection, "taste", "candidate", at=LATER)


def test_equal_arms_stay_quiet_at_every_look(connection: Connection) -> None:
    """Twelve experiments of equal arms: of all their days, none is outside the bounds, and none is called broken."""
    looks = alarms = 0
    for number in range(12):
        name = plan_experiment(
            connection, f"equal-{number}", traffic=f"[{number / 12},{(number + 1) / 12})", planned=400
        )
        two_arms(connection, 0.0, 400, name, seed=number + 10)
        found = readout(connection, name, at=LATER)
        bounds = [look.difference for look in found.primary_of("candidate").looks if look.difference]
        sure = [one for one in bounds if one.low is not None and one.high is not None]
        looks += len(sure)
        alarms += any(one.low > 0 or one.high < 0 for one in sure)  # type: ignore[operator]
        assert found.verdicts[0].decision == "no difference"
        assert found.verdicts[0].no_larger_than is not None
        assert found.mismatch is not None
        assert found.mismatch > 0.001
    assert looks > 50
    assert alarms == 0


def test_days_add_up(connection: Connection) -> None:
    """Reads of spans of an odd length, one after the other, are the read of everything, user for user."""
    plan_experiment(connection)
    two_arms(connection, 0.1, 300)
    serve(connection, 5, "control", [1], HOUR)
    serve(connection, 5, "candidate", [1], 3 * HOUR)
    serve(connection, 6, "control", [1], HOUR)
    serve(connection, 6, "control", [2], 9 * DAY)
    plan = read_plan(connection, "taste")
    whole = read_users(connection, plan, until=LATER)
    parts, after, step = [], START - DAY, timedelta(hours=31)
    while after < LATER:
        parts.append(read_users(connection, plan, after=after, until=after + step))
        after += step
    joined = Users.joined([part.users for part in parts])
    assert tally(joined) == tally(whole.users)
    assert sum((part.left_out for part in parts[1:]), parts[0].left_out) == whole.left_out
    assert whole.left_out.switched == 1


def tally(users: Users) -> dict[tuple[object, ...], float]:
    """Users by what they are alike in."""
    found: dict[tuple[object, ...], float] = {}
    columns = (users.arm, users.day, users.likes, users.decisions, users.likes_before, users.decisions_before)
    for *alike, count in zip(*(column.tolist() for column in (*columns, users.users)), strict=True):
        found[tuple(alike)] = found.get(tuple(alike), 0) + count
    return found


def test_what_came_after_the_stop_does_not_count(connection: Connection) -> None:
    """Users whose window the stop cut off are no part of it."""
    plan_experiment(connection)
    two_arms(connection, 0.0)
    before = readout(connection, "taste", at=START + 5 * DAY)
    connection.execute("update public.experiments set state = 'stopped', stopped_at = %s", (START + 5 * DAY,))
    stopped = readout(connection, "taste", at=LATER)
    assert stopped.at == START + 5 * DAY
    assert stopped.arms == before.arms
    assert stopped.primary_of("candidate").difference == before.primary_of("candidate").difference


def test_broken_randomisation_is_believed_in_nothing(connection: Connection) -> None:
    """A twentieth of an arm lost of ten thousand: broken, whatever the metric shows."""
    plan_experiment(connection, planned=10_000)
    none = [np.zeros(users, int) for users in (5000, 4500)]
    crowd(connection, [("control", none[0], none[0]), ("candidate", none[1] + 1, none[1])], shown=1)
    found = verdict(connection)
    assert (found.decision, found.promotable) == ("broken", False)
    assert "control 5,000, candidate 4,500, not 50%, 50%" in found.text


def test_many_users_of_two_arms_are_a_broken_assignment(connection: Connection) -> None:
    """One in fifty is served by both."""
    plan_experiment(connection)
    two_arms(connection, 0.3, 400)
    for user in range(1_000_000, 1_000_008):
        serve(connection, user, "candidate", [1], 2 * HOUR)
        serve(connection, user, "control", [1], 3 * HOUR)
    assert "8 users were served by more than one arm" in verdict(connection).text
    assert verdict(connection).decision == "broken"


def test_an_arm_that_nobody_is_in_yet(connection: Connection) -> None:
    """Nothing can be said while few have come; when many have, and all to one arm, it is broken."""
    plan_experiment(connection)
    for user in range(5):
        serve(connection, user, "control", [1], user * HOUR)
    assert verdict(connection).decision == "not yet"
    assert "nobody of candidate has been counted" in verdict(connection).text
    none = np.zeros(400, int)
    crowd(connection, [("control", none, none)], shown=1, first_user=5)
    assert verdict(connection).decision == "broken"


def test_nobody_at_all(connection: Connection) -> None:
    """An experiment that has just begun says so, and what it waits for."""
    plan_experiment(connection, guardrails=["coverage", "like_rate"])
    found = readout(connection, "taste", at=LATER)
    assert (found.mismatch, found.verdicts[0].decision, found.verdicts[0].days_needed) == (None, "not yet", None)
    assert "No users have entered of late" in found.verdicts[0].text
    assert "the guardrail coverage is not measured yet" in found.verdicts[0].reasons


@pytest.mark.parametrize("primary", ["likes_per_user", "like_rate", "decisions_per_user"])
def test_zero_conversions_are_not_called_equal(connection: Connection, primary: str) -> None:
    """Nobody ever decided: there is no spread to be sure by, so nothing is said."""
    plan_experiment(connection, primary=primary, planned=400)
    none = np.zeros(200, int)
    crowd(connection, [("control", none, none), ("candidate", none, none)], shown=2)
    assert verdict(connection).decision == "not yet"
    assert "no user did anything that the metric counts" in verdict(connection).text


def test_few_conversions_are_not_called_a_difference(connection: Connection) -> None:
    """Twelve LIKEs in one arm and none in the other are too few to trust a normal bound."""
    plan_experiment(connection, planned=600)
    none, few = np.zeros(300, int), np.repeat([0, 1], [288, 12])
    crowd(connection, [("control", none, none), ("candidate", few, none)], shown=2)
    assert verdict(connection).decision == "not yet"


def test_a_user_without_measure_moves_little(connection: Connection) -> None:
    """One who likes two thousand videos counts for three times the busiest, and the verdict says so."""
    plan_experiment(connection)
    two_arms(connection, 0.35)
    without = readout(connection, "taste", at=LATER).primary_of("candidate").difference
    serve(connection, 7, "control", list(range(2000)), HOUR)
    for video in range(2000):
        decided(connection, 7, video, 2 * HOUR)
    found = readout(connection, "taste", at=LATER)
    with_it = found.primary_of("candidate").difference
    assert without is not None
    assert with_it is not None
    assert with_it.mean == pytest.approx(without.mean, abs=0.15)
    assert found.exclusions.extreme == 1
    assert found.verdicts[0].decision == "better"
    assert "1 user decided more than three times as much as the top hundredth" in found.verdicts[0].text


def test_several_arms_share_the_false_alarms(connection: Connection) -> None:
    """Three arms: each is compared at 97.5 %, and each has a verdict of its own."""
    arms = (("control", 0.4), ("candidate", 0.3), ("other", 0.3))
    plan_experiment(connection, arms=arms, planned=1000)
    sides = [people(seed, users, effect) for seed, users, effect in ((1, 400, 0.0), (2, 300, 0.5), (3, 300, 0.0))]
    counts = [(arm, likes, nopes) for (arm, _), (likes, nopes, _) in zip(arms, sides, strict=True)]
    crowd(connection, counts, before=np.concatenate([past for *_, past in sides]))
    found = readout(connection, "taste", at=LATER)
    assert {each.confidence for each in found.comparisons} == {0.975}
    assert [each.decision for each in found.verdicts] == ["better", "no difference"]
    assert "(the 5 % are shared by 2 arms)" in found.verdicts[0].text


def test_a_harmed_guardrail_forbids_the_promotion(connection: Connection) -> None:
    """More LIKEs by many more decisions: the like rate falls, which was to be guarded."""
    plan_experiment(connection, guardrails=["like_rate"])
    likes, nopes, _ = people(1, 500)
    more, others, _ = people(2, 500, 0.5)
    crowd(connection, [("control", likes, nopes), ("candidate", more, others * 2 + 3)], shown=50)
    found = verdict(connection)
    assert (found.decision, found.promotable) == ("better", False)
    assert found.reasons[0].startswith("like rate is harmed")
    with pytest.raises(ExperimentError, match="like rate is harmed"):
        require_promotable(connection, "taste", "candidate", at=LATER)


def test_days_needed_are_those_at_the_present_rate(connection: Connection) -> None:
    """Forty users a day have come for ten days, 1,000 are planned: fifteen days more, and one for the last window."""
    plan_experiment(connection, planned=1000)
    two_arms(connection, 0.0, 400)
    found = readout(connection, "taste", at=START + 10 * DAY - HOUR).verdict_of("candidate")
    assert found is not None
    assert (found.decision, found.days_needed) == ("not yet", 16)


def test_lists_of_few_makers_and_videos_are_measured_by_groups_of_users(connection: Connection) -> None:
    """Everybody in the control is shown one video of one maker, in the arm two of different makers."""
    plan_experiment(connection, guardrails=["coverage", "maker_concentration"])
    for video in range(4):
        connection.execute(
            "insert into public.videos (id, maker) values (%s, %s)",
            (f"11111111-0000-4000-8000-{video:012x}", f"maker {video}"),
        )
    for user in range(80):
        serve(connection, user, "candidate" if user % 2 else "control", [0, 1] if user % 2 else [0], user * HOUR)
    found: Readout = readout(connection, "taste", at=LATER)
    means = {arm.arm: {name: one.mean for name, one in arm.metrics.items()} for arm in found.arms}
    assert (means["control"]["coverage"], means["candidate"]["coverage"]) == (0.25, 0.5)
    assert (means["control"]["maker_concentration"], means["candidate"]["maker_concentration"]) == (1.0, 0.5)


def test_an_interleaving_finds_the_preferred_ranking(connection: Connection) -> None:
    """Users who like what the arm picks more often: better; with teams that never begin, broken."""
    plan_experiment(connection, kind="interleaving", primary="preference", planned=400)
    random = np.random.default_rng(0)
    with connection.transaction():
        for user in range(400):
            teams = ["arm", "control"] if random.random() < 0.5 else ["control", "arm"]
            serve(connection, user, "interleaved", [0, 1], user * HOUR, teams=teams)
            for video, team in enumerate(teams):
                if random.random() < (0.6 if team == "arm" else 0.3):
                    decided(connection, user, video, user * HOUR + HOUR)
    found = readout(connection, "taste", at=LATER)
    assert found.primary == "preference"
    assert found.verdicts[0].decision == "better"
    assert require_promotable(connection, "taste", "candidate", at=LATER).promotable
    for user in range(400, 700):
        serve(connection, user, "interleaved", [0, 1], HOUR, teams=["control", "arm"])
    assert "fair coin" in verdict(connection).text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"primary": "coverage"}, "primary metric coverage is none of likes_per_user"),
        ({"guardrails": ["smiles"]}, "nobody measures the guardrails smiles"),
        ({"arms": [("control", 1.0)]}, "with 1 arms there is nothing to compare"),
        ({"arms": [("control", 0.5), ("candidate", 0.4)]}, "sum to 0.9 and not to 1"),
    ],
)
def test_plans_that_cannot_be_read_are_refused(
    connection: Connection, change: dict[str, object], message: str
) -> None:
    """With what is wrong and what is possible."""
    plan_experiment(connection, **change)  # type: ignore[arg-type]
    with pytest.raises(ExperimentError, match=message):
        readout(connection, "taste", at=LATER)


def test_unknown_names_are_refused(connection: Connection, empty_database: str) -> None:
    """Of experiments, of arms, and where the database knows no experiments at all."""
    plan_experiment(connection)
    with pytest.raises(ExperimentError, match="no experiment test"):
        readout(connection, "test")
    with pytest.raises(ExperimentError, match="Promote one of candidate"):
        require_promotable(connection, "taste", "control", at=LATER)
    with psycopg.connect(empty_database) as bare, pytest.raises(ExperimentError, match="no experiment taste"):
        readout(bare, "taste")


def test_lists_from_the_future_are_said(connection: Connection) -> None:
    """A clock that is ahead: not counted, and mentioned."""
    plan_experiment(connection)
    serve(connection, 1, "control", [1], timedelta(days=36500))
    assert "1 list said to be served in the future" in verdict(connection).text


def test_a_look_that_keeps_what_was_read_says_the_same(connection: Connection, tmp_path: Path) -> None:
    """Three looks, each reading only what came since, by way of a file: the last one is the look at everything.

    Also with decisions that reach the database some hours after their user's window was over.
    """
    plan_experiment(connection)
    two_arms(connection, 0.2, 400)
    kept = None
    for day in (3, 7, 30):
        if kept is not None:
            window = kept.until - START - 20 * HOUR
            serve(connection, day, "control", [1], window)
            decided(connection, day, 1, window + HOUR)
        found, kept = look(connection, "taste", at=START + day * DAY + HOUR, kept=kept)
        assert kept is not None
        save(kept, tmp_path / "kept.npz")
        kept = load(tmp_path / "kept.npz")
    assert found == readout(connection, "taste", at=START + 30 * DAY + HOUR)
