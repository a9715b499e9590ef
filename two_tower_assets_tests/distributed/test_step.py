"""Steps over plain torch.distributed, in processes of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp

from two_tower_assets.distributed.gather import gather_rows
from two_tower_assets.distributed.replica import Task, run_replica
from two_tower_assets.distributed.replica_state import ReplicaState
from two_tower_assets.distributed.step import Crew
from two_tower_assets.training.sampler import Sampler
from two_tower_assets.training.trainer import fit, unwatched
from two_tower_assets_tests.training.sparse import written_out
from two_tower_assets_tests.training.tastes import SMALL, data_of, tastes

SLICES = 4
STEPS = 12
SURE = SMALL.model.model_copy(update={"dropout": 0.0, "bag_dropout": 0.0, "video_dropout": 0.0})


def grouped(rank: int, workers: int, folder: Path, body: Callable[[Path], None]) -> None:
    dist.init_process_group("gloo", init_method=f"file://{folder / 'meeting'}", rank=rank, world_size=workers)
    try:
        body(folder)
    finally:
        dist.destroy_process_group()


def work(folder: Path) -> None:
    """Fit every task, and leave each worker's final state behind."""
    torch.set_num_threads(1)
    crew = Crew.of_process_group(SLICES)
    if crew.workers == 2:
        gather_and_check()
    for name, task in torch.load(folder.parent / "tasks.pt", weights_only=False).items():
        with torch.random.fork_rng(devices=[]):
            state = run_replica(task, crew, keep=lambda _: None, keep_every=5, watch=unwatched)
        state.save(folder / name / str(crew.rank))


@pytest.fixture(scope="module")
def tasks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Task]:
    data = data_of(tastes(), tmp_path_factory.mktemp("data"))
    nopes = SMALL.training.model_copy(update={"nope_weight": 2.0})
    return {
        "dropout": Task(data, SMALL.model, nopes, STEPS, None),
        "no dropout": Task(data, SURE, SMALL.training, STEPS, None),
    }


@pytest.fixture(scope="module")
def ended(
    tasks: dict[str, Task], tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, int], list[ReplicaState]]:
    """What the workers end with, by task and number of workers; two of them are processes of their own."""
    folder = tmp_path_factory.mktemp("ended")
    torch.save(tasks, folder / "tasks.pt")
    for workers in (1, 2):
        (folder / str(workers)).mkdir()
    threads = torch.get_num_threads()
    grouped(0, 1, folder / "1", work)
    torch.set_num_threads(threads)
    mp.spawn(grouped, args=(2, folder / "2", work), nprocs=2)
    return {
        (name, workers): [ReplicaState.load(folder / str(workers) / name / str(rank)) for rank in range(workers)]
        for name in tasks
        for workers in (1, 2)
    }


def farthest(one: ReplicaState, two: ReplicaState) -> float:
    return max(float((one.weights[name] - two.weights[name]).abs().max()) for name in one.weights)


def gather_and_check() -> None:
    """Two workers of unequal length: the gradient of a row is the sum over what both made of it."""
    rank = dist.get_rank()
    lengths = [3, 1]
    whole = torch.arange(8.0).reshape(4, 2)
    own = whole[: lengths[0]] if rank == 0 else whole[lengths[0] :]
    own = own.clone().requires_grad_()
    gathered = gather_rows(own, lengths)
    assert torch.equal(gathered, whole)
    # The loss of a worker: rank + 1 times the sum of squares of all rows.
    torch.autograd.backward(((rank + 1) * gathered**2).sum())
    assert own.grad is not None
    assert torch.equal(own.grad, 2 * 3 * own.detach())


@pytest.mark.parametrize("name", ["dropout", "no dropout"])
def test_two_workers_equal_one_with_twice_the_batch_step_by_step(
    ended: dict[tuple[str, int], list[ReplicaState]], name: str
) -> None:
    """Losses agree to 1e-6 at each step, and the workers end with one and the same model."""
    (one,) = ended[name, 1]
    two, other = ended[name, 2]
    assert len(one.losses) == len(two.losses) == STEPS
    assert two.losses == pytest.approx(one.losses, rel=1e-6)
    assert farthest(two, other) == 0
    assert farthest(one, two) < 1e-4


def test_without_dropout_workers_fit_what_one_process_fits(
    ended: dict[tuple[str, int], list[ReplicaState]], tasks: dict[str, Task]
) -> None:
    """The losses are those of the local engine, step by step."""
    task = tasks["no dropout"]
    local = fit(task.data, task.model, task.settings, steps=STEPS)
    assert ended["no dropout", 2][0].losses == pytest.approx(local.curves.losses, rel=1e-5)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_the_parts_of_a_step_are_the_whole_step(tmp_path: Path, count: int) -> None:
    """Rows, videos and hidden places laid behind one another are those of the batch, and the shares add up to 1."""
    sampler = Sampler(data_of(tastes(), tmp_path), SMALL.training)
    whole, parts = sampler.batch(3), sampler.parts(3, range(count), count)
    for name in ("slot_M", "target_B", "nope_B", "has_nope_B", "log_nope_weight_B"):
        assert np.array_equal(np.concatenate([getattr(part, name) for part in parts]), getattr(whole, name)), name
    for name in ("users", "items_M"):
        features = np.concatenate([written_out(getattr(part, name)) for part in parts])
        assert np.array_equal(features, written_out(getattr(whole, name))), name
    first = np.cumsum([0, *(len(part.target_B) for part in parts)]) * len(whole.log_inclusion_U)
    hidden = np.concatenate([part.hidden + at for part, at in zip(parts, first, strict=False)])
    assert np.array_equal(hidden, whole.hidden)
    assert sum(part.row_share for part in parts) == pytest.approx(1)
    assert sum(part.nope_share for part in parts) == pytest.approx(1)
    assert all(part.encoded == len(whole.items_M) for part in parts)


def test_a_state_goes_through_its_file_unchanged(tmp_path: Path) -> None:
    """Weights, moments, curves and seconds."""
    state = ReplicaState([0.5], [(1, 0.25)], 1.5, {"model.a": torch.ones(2), "optimizer.0.step": torch.tensor(1.0)})
    state.save(tmp_path)
    read = ReplicaState.load(tmp_path)
    assert replace(read, tensors={}) == replace(state, tensors={})
    assert all(torch.equal(read.tensors[name], tensor) for name, tensor in state.tensors.items())
