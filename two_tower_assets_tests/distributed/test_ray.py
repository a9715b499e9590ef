"""The engine on a real Ray cluster of two workers on this machine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ray", reason="the extra `ray` is not installed")

from two_tower_assets.distributed.cluster import join_cluster, leave_cluster
from two_tower_assets.distributed.engine import RayEngine
from two_tower_assets.distributed.journal import Journal
from two_tower_assets.errors import TrainingError
from two_tower_assets.settings import RaySettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.engine import Arrays, Block
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import Fit, StepReport
from two_tower_assets_tests.training.tastes import SMALL, data_of, tastes

STEPS = 30
TWO = RaySettings(slices=4, checkpoint_steps=5)
ONE = TWO.model_copy(update={"workers": 1})
# Long enough for a kill in the middle.
TRAINING = SMALL.training.model_copy(update={"batch_size": 64})


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    join_cluster(TWO)
    yield
    leave_cluster()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return data_of(tastes(), tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def whole(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> Fit:
    """What two workers fit that nobody disturbs."""
    folder = tmp_path_factory.mktemp("whole")
    fitted = RayEngine(TWO, folder, "").fit(data, SMALL.model, TRAINING, steps=STEPS, validate=temperature)
    assert list((folder / "fits").iterdir()) == []
    return fitted


def temperature(model: TwoTower) -> float:
    return model.temperature


def same(one: Fit, two: Fit, tolerance: float = 1e-6) -> None:
    assert two.curves.losses == pytest.approx(one.curves.losses, rel=tolerance)
    assert [taken for taken, _ in two.curves.validations] == [taken for taken, _ in one.curves.validations]
    for name, weights in one.model.state_dict().items():
        assert two.model.state_dict()[name].numpy() == pytest.approx(weights.numpy(), abs=1e-4), name


def test_a_worker_killed_with_9_is_replaced_and_the_fit_ends_as_if_nothing_happened(
    data: TrainingData, whole: Fit, tmp_path: Path
) -> None:
    """Killed at step 12, the fit goes on at step 10, where it was kept last; losses and weights are the same."""
    seen: list[int] = []

    def kill_once(report: StepReport) -> None:
        if report.step == 12 and report.step not in seen:
            os.kill(pid_of(tmp_path, rank=1), signal.SIGKILL)
        seen.append(report.step)

    fitted = slow_engine(tmp_path).fit(
        data, SMALL.model, TRAINING, steps=STEPS, validate=temperature, watch=kill_once
    )
    assert fitted.ran["restarts"] == 1
    first, again = fitted.ran["began_at_steps"]
    assert first == 0
    assert 10 <= again < STEPS
    assert again % TWO.checkpoint_steps == 0
    assert seen.count(again + 1) >= 1
    same(whole, fitted)
