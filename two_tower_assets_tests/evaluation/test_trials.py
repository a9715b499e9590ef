from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from random import Random

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from two_tower_assets.evaluation.trials import (
    Source,
    Trials,
    draw_new_videos,
    final_trial,
    new_videos_trial,
    part_of,
    per_user_trial,
    validation_trial,
)
from two_tower_assets.features.history import LIKE, NOPE, History
from two_tower_assets.settings import EvaluationSettings, FeatureSettings
from two_tower_assets.training.examples import find_examples
from two_tower_assets_tests.features.worlds import START, World, uid, world, worlds
from two_tower_assets_tests.training.tastes import tastes

SETTINGS = EvaluationSettings(per_user_share=0.4, new_video_share=0.25)


def source(folder: Path, settings: EvaluationSettings = SETTINGS, *, preset: str = "content") -> Source:
    features = FeatureSettings.model_validate({"preset": preset, "min_tag_freq": 1})
    return Source.of(tastes().snapshot(folder), features, settings)


def decided(trial_history: object, kinds: tuple[int, ...] = (LIKE, NOPE)) -> set[tuple[str, int]]:
    """(user id, video) of a history."""
    history = trial_history
    chosen = np.isin(history.kind, kinds)
    return set(zip(history.user_ids[history.user[chosen]].to_list(), history.video[chosen].tolist(), strict=True))


def test_the_global_trials_hide_everything_from_their_cutoff_on(tmp_path: Path) -> None:
    """States end before it, targets lie in the window, and validation ends where the test begins."""
    found = source(tmp_path)
    examples = find_examples(found.history, found.evaluation)
    for trial, since, until in (
        (validation_trial(found, examples), examples.split.validation_from, examples.split.test_from),
        (final_trial(found, examples), examples.split.test_from, examples.split.end),
    ):
        history, task = trial.data.history, trial.task
        assert trial.data.until == since
        assert (task.moment == since).all()
        ends = [(start, end) for start, end in zip(history.user_offsets[task.users], task.state_end, strict=True)]
        assert all((history.time[start:end] < since).all() for start, end in ends)
        later = (history.time >= since) & (history.time < until) & (history.kind == LIKE)
        assert len(task.targets) + sum(task.left_out.values()) == later.sum()


def test_each_users_last_decisions_are_taken_out_and_asked_for(tmp_path: Path) -> None:
    """40 % of 15 are 6: what is known and what is asked make up the whole, and share nothing."""
    found = source(tmp_path)
    trial = per_user_trial(found)
    task, history = trial.task, trial.data.history
    assert np.diff(history.user_offsets).tolist() == [9] * len(history.user_ids)
    whole = decided(found.history)
    known = decided(history)
    users = history.user_ids[task.users]
    asked = {
        (users[row], int(task.candidates[place]))
        for pairs in (task.targets, task.nopes)
        for row, place in zip(pairs.row.tolist(), pairs.place.tolist(), strict=True)
    }
    assert known < whole
    assert not known & asked
    assert asked <= whole
    assert len([pair for pair in whole - known if pair[0] in set(users)]) == len(asked)


def test_users_are_asked_as_of_the_first_hidden_decision(tmp_path: Path) -> None:
    """The moment is its time, and everything known is not later."""
    found = source(tmp_path)
    trial = per_user_trial(found)
    first = found.history.user_offsets[:-1] + 9
    assert trial.task.moment.tolist() == found.history.time[first][trial.task.users].tolist()
    assert all(
        (trial.data.history.time[start:end] <= moment).all()
        for start, end, moment in zip(
            trial.data.history.user_offsets[trial.task.users], trial.task.state_end, trial.task.moment, strict=True
        )
    )


def test_settings_are_chosen_without_what_the_per_user_test_asks(tmp_path: Path) -> None:
    """Validation forgets the test's decisions before it hides its own: 15 − 6 − 3 = 6 are known, 3 asked."""
    found = source(tmp_path)
    validation, test = per_user_trial(found, validation=True), per_user_trial(found)
    assert np.diff(validation.data.history.user_offsets).tolist() == [6] * 40
    assert len(validation.task.targets) + len(validation.task.nopes) <= 3 * 40
    tested = decided(found.history) - decided(test.data.history)
    users = validation.data.history.user_ids[validation.task.users]
    asked = {
        (users[int(row)], int(validation.task.candidates[place]))
        for row, place in zip(validation.task.targets.row, validation.task.targets.place, strict=True)
    }
    assert not asked & tested


@pytest.mark.parametrize("preset", ["content", "hybrid"])
def test_new_videos_do_not_exist_while_learning_and_are_ranked_afterwards(tmp_path: Path, preset: str) -> None:
    """No decision, vocabulary entry nor negative is one of them; every target is, and they are candidates."""
    found = source(tmp_path, preset=preset)
    trial = new_videos_trial(found)
    hidden_V = draw_new_videos(found)
    assert hidden_V.sum() == 20
    assert not hidden_V[trial.data.history.video].any()
    assert not hidden_V[trial.data.contenders].any()
    assert (trial.data.slot[hidden_V] == -1).all()
    assert hidden_V[trial.task.candidates].sum() == 20
    assert hidden_V[trial.task.candidates[trial.task.targets.place]].all()
    values = trial.data.popularity(30.0).value
    assert len(set(values[hidden_V].tolist())) == 1


def test_the_draw_of_new_videos_is_fixed_by_its_seed(tmp_path: Path) -> None:
    """The same twice, another with another seed."""
    first, other = source(tmp_path), source(tmp_path, SETTINGS.model_copy(update={"seed": 1}))
    assert np.array_equal(draw_new_videos(first), draw_new_videos(first))
    assert not np.array_equal(draw_new_videos(first), draw_new_videos(other))


def test_a_trial_asks_a_fixed_sample_of_many_users(tmp_path: Path) -> None:
    """At most `max_users`, the same each time."""
    few = SETTINGS.model_copy(update={"max_users": 7})
    users = [per_user_trial(source(tmp_path, few)).task.users.tolist() for _ in range(2)]
    assert len(users[0]) == 7
    assert users[0] == users[1]


def test_a_part_of_a_history_keeps_order_and_forgets_users_without_decisions() -> None:
    """User 1 loses all, user 2 is counted anew."""
    rows = [
        (uid(user), uid(video), "like", START + timedelta(hours=video)) for user in range(3) for video in range(3)
    ]
    history = world([{"id": uid(video)} for video in range(3)], rows).history
    part, user_of = part_of(history, np.array([True, False, True, False, False, False, False, True, True]))
    assert user_of.tolist() == [0, -1, 1]
    assert part.user_ids.to_list() == [history.user_ids[0], history.user_ids[2]]
    assert part.user_offsets.tolist() == [0, 2, 4]
    assert part.video.tolist() == [0, 2, 1, 2]
    assert part.user.tolist() == [0, 0, 1, 1]


@given(worlds(), st.randoms(use_true_random=False))
@settings(max_examples=100, deadline=None)
def test_any_part_of_a_history_is_the_kept_decisions_in_order(place: World, random: Random) -> None:
    """Decisions, users and offsets are those of a history that never had the others, as its frames would give it."""
    history = place.history
    kept = np.array([random.random() < 0.6 for _ in history.time], dtype=np.bool_)
    part, user_of = part_of(history, kept)
    expected = History.from_frames(place.decisions.filter(pl.Series(kept, dtype=pl.Boolean)), place.videos)
    assert part.user_ids.equals(expected.user_ids)
    for name in ("user_offsets", "video", "kind", "time", "user", "strictly_before"):
        assert getattr(part, name).tolist() == getattr(expected, name).tolist(), name
    left = user_of >= 0
    assert history.user_ids.filter(left).to_list() == part.user_ids[user_of[left]].to_list()
    assert not kept[~left[history.user]].any()


def test_only_the_last_trial_is_kept_where_all_would_not_fit_into_the_memory(tmp_path: Path) -> None:
    """A trial that was cut out again asks the same; with more memory it is the very same one."""
    whole = source(tmp_path)
    examples = find_examples(whole.history, SETTINGS)
    small, large = Trials(whole, examples, memory_mib=1024), Trials(whole, examples, memory_mib=65_536)
    for trials, kept in ((small, False), (large, True)):
        first, other = trials.test, trials.per_user
        assert trials.per_user is other
        again = trials.test
        assert (again is first) is kept
        assert np.array_equal(again.task.users, first.task.users)
        assert np.array_equal(again.task.targets.place, first.task.targets.place)
        assert set(trials.asked) == {"global", "per_user", "new_videos"}
