from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from two_tower_assets.errors import TrainingError
from two_tower_assets.features.history import LIKE, NOPE
from two_tower_assets.settings import TrainingSettings
from two_tower_assets.training.sampler import Sampler
from two_tower_assets_tests.features.worlds import START, World, uid, world
from two_tower_assets_tests.training.sparse import written_out
from two_tower_assets_tests.training.tastes import cut, data_of, tastes

IN_BATCH = TrainingSettings(negatives="in_batch", batch_size=64)


def test_batches_depend_on_seed_and_step_alone(tmp_path: Path) -> None:
    """Asking in another order gives the same batches; another seed gives others."""
    data = data_of(tastes(), tmp_path)
    one, two = Sampler(data, IN_BATCH), Sampler(data, IN_BATCH)
    late = one.batch(5)
    two.batch(0)
    assert np.array_equal(written_out(late.users), written_out(two.batch(5).users))
    other = Sampler(data, IN_BATCH.model_copy(update={"seed": 1})).batch(5)
    assert not np.array_equal(written_out(late.users), written_out(other.users))


@pytest.mark.parametrize("future_share", [0.0, 1.0])
def test_what_is_hidden_is_what_the_user_decided_before_or_likes_at_any_time(
    tmp_path: Path, future_share: float
) -> None:
    """Checked row by row against plain sets; the target is never hidden and was never decided before."""
    settings = IN_BATCH.model_copy(update={"future_share": future_share, "negatives": "catalogue"})
    place = tastes()
    data = data_of(place, tmp_path, cut(place, "test_from"))
    sampler, history = Sampler(data, settings), data.history
    rows = sampler._draw_rows(np.random.default_rng((settings.seed, 0)), future=bool(future_share))
    batch = sampler.batch(0)
    width = len(batch.log_inclusion_U)
    videos = np.unique(np.concatenate([history.video[rows.like_B], data.catalogue]))
    for row in range(settings.batch_size):
        start, end = history.user_offsets[rows.user_B[row]], data.user_end[rows.user_B[row]]
        before = set(history.video[start : rows.end_B[row]].tolist())
        likes = {int(history.video[d]) for d in range(start, end) if history.kind[d] == LIKE}
        target = int(history.video[rows.like_B[row]])
        hidden = batch.hidden[batch.hidden // width == row] % width
        assert set(videos[hidden].tolist()) == (before | likes) - {target}
        assert videos[batch.target_B[row]] == target
        assert target not in before
        assert rows.time_B[row] <= history.time[rows.like_B[row]] < data.until


def test_next_and_future_steps_take_turns_by_their_share(tmp_path: Path) -> None:
    """At one half every second step looks into the future; at 0 none, at 1 all."""
    data = data_of(tastes(), tmp_path)
    pattern = {
        share: [
            Sampler(data, IN_BATCH.model_copy(update={"future_share": share}))._is_future(step) for step in range(4)
        ]
        for share in (0.0, 0.5, 1.0)
    }
    assert pattern == {0.0: [False] * 4, 0.5: [False, True, False, True], 1.0: [True] * 4}


def two_users() -> World:
    """User 0 has four LIKEs, user 1 one; all at the same moment."""
    rows = [(uid(0), uid(video), "like", START) for video in range(4)] + [(uid(1), uid(4), "like", START)]
    return world([{"id": uid(video)} for video in range(6)], rows)


def test_inclusion_probabilities_are_those_of_the_draws(tmp_path: Path) -> None:
    """√4 : √1 gives user 0 two thirds, so each of its videos 1/6 and video 4 a third; 1 − (1 − q)^(B − 1)."""
    data = data_of(two_users(), tmp_path)
    sampler = Sampler(data, IN_BATCH.model_copy(update={"batch_size": 3}))
    included = np.exp(sampler._log_inclusion(np.arange(5)))
    np.testing.assert_allclose(included, [1 - (5 / 6) ** 2] * 4 + [1 - (2 / 3) ** 2], rtol=1e-6)


def test_uniform_draws_add_to_the_inclusion_probability(tmp_path: Path) -> None:
    """Three of six videos drawn uniformly: 1 − (1 − q)^(B − 1) / 2; all six: certainty."""
    data = data_of(two_users(), tmp_path)
    settings = TrainingSettings(batch_size=3, catalogue_negatives=3)
    included = np.exp(Sampler(data, settings)._log_inclusion(np.array([0, 4, 5])))
    np.testing.assert_allclose(included, [1 - (5 / 6) ** 2 / 2, 1 - (2 / 3) ** 2 / 2, 0.5], rtol=1e-6)
    everything = Sampler(data, settings.model_copy(update={"catalogue_negatives": 6}))
    np.testing.assert_allclose(everything._log_inclusion(np.array([0, 4, 5])), 0, atol=1e-7)


def test_an_older_like_is_drawn_less_by_its_half_life(tmp_path: Path) -> None:
    """One half-life older means half as often, for the same user."""
    rows = [(uid(0), uid(0), "like", START), (uid(0), uid(1), "like", START + timedelta(days=10))]
    data = data_of(world([{"id": uid(0)}, {"id": uid(1)}], rows), tmp_path)
    sampler = Sampler(data, TrainingSettings(batch_size=3000, half_life_days=10))
    np.testing.assert_allclose(sampler._target_probability, [1 / 3, 2 / 3])
    drawn = sampler._draw_rows(np.random.default_rng(0), future=False).like_B
    assert np.mean(drawn == 0) == pytest.approx(1 / 3, abs=0.03)


def test_own_later_nopes_are_drawn_with_the_number_they_stand_for(tmp_path: Path) -> None:
    """After its LIKE user 0 has two NOPEs at weight 2: log 4; the one before is never drawn; user 1 has none: −∞."""
    earlier = START - timedelta(days=1)
    rows = [
        (uid(0), uid(4), "nope", earlier),
        (uid(0), uid(0), "like", START),
        (uid(0), uid(1), "nope", START),
        (uid(0), uid(2), "nope", START),
        (uid(1), uid(3), "like", START),
    ]
    data = data_of(world([{"id": uid(video)} for video in range(5)], rows), tmp_path)
    settings = TrainingSettings(batch_size=64, negatives="in_batch", nope_weight=2, future_share=0)
    sampler = Sampler(data, settings)
    batch = sampler.batch(0)
    of_first = batch.target_B == 0
    np.testing.assert_allclose(batch.log_nope_weight_B[of_first], np.log(4), rtol=1e-6)
    assert np.isneginf(batch.log_nope_weight_B[~of_first]).all()
    # candidates 0 and 3 come first, then the videos that are only NOPEs
    assert set(batch.nope_B[of_first].tolist()) == {2, 3}
    assert np.array_equal(batch.has_nope_B, of_first)


def test_nopes_come_after_the_state_whatever_the_step(tmp_path: Path) -> None:
    """Every drawn NOPE lies at or after the end of what the state knows, and belongs to the row's user."""
    data = data_of(tastes(), tmp_path, cut(tastes(), "test_from"))
    history = data.history
    sampler = Sampler(data, IN_BATCH)
    for step in range(4):
        rows = sampler._draw_rows(np.random.default_rng((0, step)), future=bool(step % 2))
        for user, end, video, count in zip(
            rows.user_B, rows.end_B, rows.nope_video_B, rows.nope_count_B, strict=True
        ):
            later = range(end, data.user_end[user])
            nopes = [int(history.video[d]) for d in later if history.kind[d] == NOPE]
            assert count == len(nopes)
            assert not nopes or video in nopes


def test_a_new_video_that_nobody_has_seen_is_no_negative(tmp_path: Path) -> None:
    """Undecided and released within 30 days: left out; undecided and old, or decided: drawn."""
    old, fresh = START - timedelta(days=400), START - timedelta(days=3)
    videos = [
        {"id": uid(0), "product_released_at": fresh},
        {"id": uid(1), "product_released_at": fresh},
        {"id": uid(2), "product_released_at": old},
        {"id": uid(3)},
    ]
    data = data_of(world(videos, [(uid(0), uid(0), "like", START)]), tmp_path, START + timedelta(days=1))
    assert data.contenders.tolist() == [0, 2, 3]


def test_without_masking_nothing_is_hidden(tmp_path: Path) -> None:
    """The switch of the ablation."""
    batch = Sampler(data_of(tastes(), tmp_path), IN_BATCH.model_copy(update={"mask_known": False})).batch(0)
    assert len(batch.hidden) == 0


@pytest.mark.parametrize(("power", "first"), [(0.0, 0.5), (0.5, 2 / 3), (1.0, 0.8)])
def test_users_are_drawn_by_a_power_of_their_likes(tmp_path: Path, power: float, first: float) -> None:
    """Four LIKEs against one: 1 : 1, 2 : 1 and 4 : 1."""
    sampler = Sampler(data_of(two_users(), tmp_path), IN_BATCH.model_copy(update={"user_power": power}))
    np.testing.assert_allclose(sampler._target_probability[:5], [first / 4] * 4 + [1 - first])


@pytest.mark.parametrize(
    ("likes", "negatives", "missing"),
    [
        ([], "catalogue", "no LIKE"),
        ([(0, 0)], "catalogue", "one video only"),
        ([(0, 0), (1, 0)], "in_batch", "of one video"),
        ([(0, 0), (0, 1)], "in_batch", "of one user"),
    ],
)
def test_nothing_to_learn_from_is_named(
    tmp_path: Path, likes: list[tuple[int, int]], negatives: str, missing: str
) -> None:
    """The error says what is missing."""
    videos = {video for _, video in likes} | {0}
    rows = [(uid(user), uid(video), "like", START) for user, video in likes] or [(uid(0), uid(0), "nope", START)]
    data = data_of(world([{"id": uid(video)} for video in videos], rows), tmp_path)
    with pytest.raises(TrainingError, match=missing):
        Sampler(data, TrainingSettings.model_validate({"negatives": negatives}))
