from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from two_tower_assets.training.loss import Candidates, sampled_softmax_loss, taste_loss

NO_LOG_TEMPERATURE = torch.tensor(0.0)


def candidates(target: list[int], log_inclusion: Tensor, **changes: Tensor) -> Candidates:
    rows = len(target)
    values = {
        "target_B": torch.tensor(target),
        "log_inclusion_U": log_inclusion,
        "hidden": torch.empty(0, dtype=torch.int64),
        "nope_B": torch.zeros(rows, dtype=torch.int64),
        "has_nope_B": torch.zeros(rows, dtype=torch.bool),
        "log_nope_weight_B": torch.full((rows,), -math.inf),
    }
    return Candidates(**(values | changes))


def test_with_every_video_present_it_is_the_softmax_cross_entropy() -> None:
    """Scores 1, 0, −1 and target 0: log(e + 1 + 1/e) − 1."""
    user, items = torch.tensor([[1.0]]), torch.tensor([[1.0], [0.0], [-1.0]])
    loss = sampled_softmax_loss(user, items, NO_LOG_TEMPERATURE, candidates([0], torch.zeros(3)))
    assert loss.item() == pytest.approx(math.log(math.e + 1 + 1 / math.e) - 1)


def test_candidates_are_divided_by_their_inclusion_probability_and_the_target_is_not() -> None:
    """With inclusion probabilities 1/2, 1/4: log(e + 4) − 1, whatever the target's own."""
    user, items = torch.tensor([[1.0]]), torch.tensor([[1.0], [0.0]])
    loss = sampled_softmax_loss(
        user, items, NO_LOG_TEMPERATURE, candidates([0], torch.log(torch.tensor([0.5, 0.25])))
    )
    assert loss.item() == pytest.approx(math.log(math.e + 4) - 1)


def test_hidden_candidates_neither_count_nor_get_a_gradient() -> None:
    """Row 0 must not learn from video 1; row 1 must not learn from video 2."""
    user = torch.tensor([[1.0], [1.0]])
    items = torch.tensor([[1.0], [0.5], [-1.0]], requires_grad=True)
    hidden = torch.tensor([0 * 3 + 1, 1 * 3 + 2])
    loss = sampled_softmax_loss(user, items, NO_LOG_TEMPERATURE, candidates([0, 0], torch.zeros(3), hidden=hidden))
    expected = (math.log(math.e + 1 / math.e) - 1 + math.log(math.e + math.exp(0.5)) - 1) / 2
    assert loss.item() == pytest.approx(expected)


def test_an_own_nope_adds_its_weight_to_the_partition_function() -> None:
    """Three NOPEs at weight one half, of score −1, beside target 1 and candidate 0: log(e + 1 + 1.5/e) − 1."""
    user, items = torch.tensor([[1.0], [1.0]]), torch.tensor([[1.0], [0.0], [-1.0]])
    weight = torch.tensor([math.log(1.5), -math.inf])
    loss = sampled_softmax_loss(
        user,
        items,
        NO_LOG_TEMPERATURE,
        candidates([0, 0], torch.zeros(2), nope_B=torch.tensor([2, 0]), log_nope_weight_B=weight),
    )
    expected = (math.log(math.e + 1 + 1.5 / math.e) + math.log(math.e + 1) - 2) / 2
    assert loss.item() == pytest.approx(expected)


def test_taste_is_the_logistic_loss_of_like_before_nope_over_the_rows_that_have_both() -> None:
    """Row 0: scale 2 times (1 − (−1)): ln(1 + e⁻⁴); row 1 has no NOPE; without any NOPE the loss is 0."""
    user, items = torch.tensor([[1.0], [1.0]]), torch.tensor([[1.0], [-1.0]])
    nopes = {"nope_B": torch.tensor([1, 0]), "has_nope_B": torch.tensor([True, False])}
    loss = taste_loss(user, items, torch.log(torch.tensor(2.0)), candidates([0, 0], torch.zeros(2), **nopes))
    assert loss.item() == pytest.approx(math.log1p(math.exp(-4)))
    assert taste_loss(user, items, torch.tensor(0.0), candidates([0, 0], torch.zeros(2))).item() == 0


def full_gradient(user: Tensor, items: Tensor, target: int) -> Tensor:
    items = items.clone().requires_grad_()
    torch.nn.functional.cross_entropy(user @ items.T, torch.tensor([target])).backward()
    assert items.grad is not None
    return items.grad


def mean_sampled_gradient(user: Tensor, items: Tensor, target: int, draws: int, sign: float) -> Tensor:
    """Mean over repetitions of the sampled loss's gradient; videos are drawn by a skewed distribution."""
    videos = len(items)
    q = torch.arange(1, videos + 1, dtype=torch.float32) ** -1.5
    q /= q.sum()
    inclusion = -torch.expm1(draws * torch.log1p(-q))
    total = torch.zeros_like(items)
    repetitions = 400
    for _ in range(repetitions):
        drawn = torch.multinomial(q, draws, replacement=True)
        present = torch.unique(torch.cat([drawn, torch.tensor([target])]))
        leaf = items.clone().requires_grad_()
        place = int((present == target).nonzero())
        loss = sampled_softmax_loss(
            user, leaf[present], NO_LOG_TEMPERATURE, candidates([place], sign * torch.log(inclusion[present]))
        )
        loss.backward()
        assert leaf.grad is not None
        total += leaf.grad / repetitions
    return total


def test_the_sampled_gradient_approaches_the_full_softmax_with_the_right_sign_only() -> None:
    """With logQ the distance shrinks as more is drawn; without it, and with the wrong sign, it stays far."""
    torch.manual_seed(0)
    user, items, target = torch.randn(1, 4), torch.randn(40, 4), 25
    full = full_gradient(user, items, target)

    def distance(draws: int, sign: float) -> float:
        sampled = mean_sampled_gradient(user, items, target, draws, sign)
        return float((sampled - full).norm() / full.norm())

    right = [distance(draws, 1.0) for draws in (20, 80, 320)]
    assert right[0] > right[1] > right[2]
    assert right[2] < 0.1
    assert distance(80, 0.0) > 1.5 * right[1]
    assert distance(80, -1.0) > distance(80, 0.0)


def test_gradients_repeat_bit_by_bit_at_full_size() -> None:
    """With as many rows as torch splits over threads, the same batch gives the same gradient each time."""
    rows, width, dimension = 1024, 1500, 256
    generator = torch.Generator().manual_seed(0)
    # Few different NOPEs: many rows add to the same video's gradient.
    candidates = Candidates(
        target_B=torch.randint(width, (rows,), generator=generator),
        log_inclusion_U=torch.zeros(width),
        hidden=torch.empty(0, dtype=torch.int64),
        nope_B=torch.randint(8, (rows,), generator=generator),
        has_nope_B=torch.ones(rows, dtype=torch.bool),
        log_nope_weight_B=torch.zeros(rows),
    )
    start_MD = torch.nn.functional.normalize(torch.randn(width, dimension, generator=generator))
    user_BD = torch.nn.functional.normalize(torch.randn(rows, dimension, generator=generator))

    def gradient() -> bytes:
        item_MD = start_MD.clone().requires_grad_()
        sampled_softmax_loss(user_BD, item_MD, torch.tensor(-2.0), candidates).backward()
        assert item_MD.grad is not None
        return item_MD.grad.numpy().tobytes()

    assert len({gradient() for _ in range(10)}) == 1


def test_its_gradient_is_that_of_torchs_own_functions() -> None:
    """Of vectors, videos and temperature, with hidden candidates, corrections and videos that are no candidates."""
    torch.manual_seed(0)
    target_B, hidden = torch.tensor([2, 0, 2]), torch.tensor([1, 4 + 3])
    correction_U = torch.rand(4).sub(1).double()
    leaves = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in ((3, 5), (6, 5), ())]
    user_BD, item_MD, log_temperature = leaves
    logit_BU = user_BD @ item_MD[:4].T / torch.exp(log_temperature)
    hides_BU = torch.zeros(3, 4, dtype=torch.bool).view(-1).index_fill(0, hidden, True).view(3, 4)
    is_target_BU = torch.nn.functional.one_hot(target_B, 4).bool()
    corrected_BU = torch.where(is_target_BU, logit_BU, (logit_BU - correction_U).masked_fill(hides_BU, -torch.inf))
    expected = torch.nn.functional.cross_entropy(corrected_BU, target_B)
    loss = sampled_softmax_loss(
        user_BD, item_MD, log_temperature, candidates(target_B.tolist(), correction_U, hidden=hidden)
    )
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(loss, leaves), torch.autograd.grad(expected, leaves))
