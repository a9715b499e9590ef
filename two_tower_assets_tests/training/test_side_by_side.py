from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
import torch

from two_tower_assets.training.side_by_side import in_step

Chain = Callable[[int, int], float]


def recorder(seen: list[tuple[int, int]], *, seconds: float = 0.0) -> Chain:
    """A chain that keeps what it was given, and returns it."""

    def take(step: int, drawn: int) -> float:
        time.sleep(seconds)
        seen.append((step, drawn))
        return float(drawn)

    return take


@pytest.fixture(params=[1, 2, 4], autouse=True)
def threads(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whatever the number of threads; it is the same afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield
    assert torch.get_num_threads() == request.param
    torch.set_num_threads(before)


def test_every_chain_takes_every_step_in_order_and_the_sums_come_in_order() -> None:
    """However slow one is, and wherever the steps begin; each step is drawn once."""
    seen: list[list[tuple[int, int]]] = [[], [], []]
    drawn: list[int] = []

    def draw(step: int) -> int:
        drawn.append(step)
        return 10 * step

    chains = [recorder(each, seconds=0.002 * number) for number, each in enumerate(seen)]
    assert list(in_step(chains, draw, range(4, 20))) == [30.0 * step for step in range(4, 20)]
    assert seen == [[(step, 10 * step) for step in range(4, 20)]] * 3
    assert drawn == list(range(4, 20))
    assert list(in_step(chains, draw, range(0))) == []


def test_no_chain_runs_away_from_the_slowest() -> None:
    """The inputs of three steps are kept at most."""
    slow, fast = [], []

    def quick(step: int, drawn: int) -> float:
        fast.append(step)
        assert step - len(slow) <= 3
        return float(drawn)

    for _ in in_step([recorder(slow, seconds=0.003), quick], int, range(30)):
        pass
    assert len(slow) == len(fast) == 30


@pytest.mark.parametrize("at", ["draw", "chain"])
def test_what_fails_is_raised_where_the_steps_are_waited_for(at: str) -> None:
    """The steps before it have come, and no thread is left behind."""

    def fail(step: int, *_: int) -> int:
        if step == 5:
            raise ArithmeticError("no step 5")
        return step

    def failing(step: int, drawn: int) -> float:
        return float(fail(step, drawn))

    seen: list[tuple[int, int]] = []
    chains = [recorder(seen), failing if at == "chain" else recorder([])]
    came: list[float] = []
    with pytest.raises(ArithmeticError, match="no step 5"):
        came.extend(in_step(chains, fail if at == "draw" else int, range(10)))
    assert came == [2.0 * step for step in range(len(came))]
    assert len(came) <= 5
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("steps")]


def test_who_stops_listening_stops_the_work() -> None:
    """A fit that is broken off leaves no thread behind."""
    steps = in_step([recorder([], seconds=0.001)], int, range(10_000))
    assert next(steps) == 0.0
    steps.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("steps")]
