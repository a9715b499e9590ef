"""The engine on a real Ray cluster of two workers on this machine."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.distributed as dist

from two_tower_assets.artifacts.embeddings import read_blocks, write_video_embeddings
from two_tower_assets.distributed.journal import Journal
from two_tower_assets.distributed.replica import Task, run_replica
from two_tower_assets.distributed.replica_state import ReplicaState
from two_tower_assets.distributed.step import Crew
from two_tower_assets.errors import EngineError, TrainingError
from two_tower_assets.evaluation import ranking
from two_tower_assets.evaluation.tower_scores import tower_scores
from two_tower_assets.evaluation.trials import Source, Trial, Trials
from two_tower_assets.settings import RaySettings
from two_tower_assets.training.data import TrainingData
from two_tower_assets.training.engine import Arrays, Block
from two_tower_assets.training.examples import find_examples
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import Fit, StepReport, Watch, fit, unwatched
from two_tower_assets_tests.artifacts.versions import feature_space, items, towers, video_inputs
from two_tower_assets_tests.training.tastes import SMALL, data_of, tastes

pytest.importorskip("ray", reason="the extra `ray` is not installed")

from two_tower_assets.distributed.cluster import join_cluster, leave_cluster
from two_tower_assets.distributed.engine import RayEngine

# Ray warns of what it does itself, and of sockets that it leaves to its processes.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:ray"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning:ray"),
]

STEPS = 40
KILLED_AT = 12
TWO = RaySettings(slices=4, checkpoint_steps=5)
ONE = TWO.model_copy(update={"workers": 1})
TRAINING = SMALL.training.model_copy(update={"validate_every": 1})


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    join_cluster(TWO)
    yield
    leave_cluster()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> TrainingData:
    return data_of(tastes(), tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def undisturbed(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> ReplicaState:
    """What one worker fits that nobody disturbs, without Ray."""
    task = Task(data, SMALL.model, TRAINING, STEPS, None)
    meeting = tmp_path_factory.mktemp("group") / "meeting"
    dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=0, world_size=1)
    try:
        with torch.random.fork_rng(devices=[]):
            return run_replica(
                task, Crew.of_process_group(TWO.slices), keep=lambda _: None, keep_every=STEPS, watch=unwatched
            )
    finally:
        dist.destroy_process_group()


def slow(model: TwoTower) -> float:
    """Something to validate by, which leaves time for a kill in the middle."""
    time.sleep(0.05)
    return model.temperature


def fitted(
    data: TrainingData, settings: RaySettings, folder: Path, watch: Watch = unwatched, *, rate: float = 3e-3
) -> Fit:
    training = TRAINING.model_copy(update={"learning_rate": rate})
    return RayEngine(settings, folder, "code").fit(
        data, SMALL.model, training, steps=STEPS, validate=slow, watch=watch
    )


def killer(folder: Path) -> Watch:
    """Kill the second worker once, at its first step from `KILLED_AT`."""
    killed: list[int] = []

    def watch(report: StepReport) -> None:
        if report.step >= KILLED_AT and not killed:
            (journal,) = (folder / "fits").glob("*.jsonl")
            killed.extend(entry["pid"] for entry in Journal(journal).entries() if entry.get("rank") == 1)
            os.kill(killed[-1], signal.SIGKILL)

    return watch


def require_kept(step: int) -> None:
    """Nothing began anew: Ray had taken note of a state, if not of the very last one before the kill."""
    assert 0 < step < STEPS
    assert step % TWO.checkpoint_steps == 0


def require_same(found: Fit, state: ReplicaState) -> None:
    assert found.curves.losses == pytest.approx(state.losses, rel=1e-6)
    assert [taken for taken, _ in found.curves.validations] == list(range(1, STEPS + 1))
    for name, weights in state.weights.items():
        assert float((found.model.state_dict()[name] - weights).abs().max()) < 1e-4, name


def test_a_fit_goes_on_when_a_worker_is_killed_with_9(
    data: TrainingData, undisturbed: ReplicaState, tmp_path: Path
) -> None:
    """It goes on where it was kept last, and ends with the losses and weights of a fit that nobody disturbed."""
    found = fitted(data, TWO, tmp_path, killer(tmp_path))
    first, again = found.ran["began_at_steps"]
    assert (first, found.ran["restarts"], found.ran["workers"]) == (0, 1, 2)
    require_kept(again)
    require_same(found, undisturbed)
    assert list((tmp_path / "fits").iterdir()) == []


def test_one_worker_goes_on_where_two_were_broken_off(
    data: TrainingData, undisturbed: ReplicaState, tmp_path: Path
) -> None:
    """Out of attempts, the fit ends by an error that says to run again; one worker then ends it as two would."""
    with pytest.raises(EngineError, match=r"(?s)failed more than 0 times.*Run again: the fit goes on"):
        fitted(data, TWO.model_copy(update={"retries": 0}), tmp_path, killer(tmp_path))
    found = fitted(data, ONE, tmp_path)
    (began,) = found.ran["began_at_steps"]
    require_kept(began)
    require_same(found, undisturbed)


def test_a_loss_that_is_not_finite_is_told_and_not_tried_again(data: TrainingData, tmp_path: Path) -> None:
    """The error of the local engine, with its remedy, after one attempt; and nothing is left behind."""
    with pytest.raises(TrainingError, match=r"at step \d+.*training\.learning_rate"):
        fitted(data, ONE, tmp_path, rate=1e30)
    assert list((tmp_path / "fits").iterdir()) == []


def roots(block: Block) -> Arrays:
    """Square roots, and who computed them."""
    return {"root": np.sqrt(block), "pid": np.full(len(block), os.getpid())}


def test_blocks_are_computed_by_workers_and_not_again_after_an_end_in_the_middle(tmp_path: Path) -> None:
    """What two workers made is read back by the next attempt; only a shard that is missing is computed anew."""
    blocks = [np.arange(at, at + 3) for at in (0, 3, 6)]
    engine = RayEngine(TWO, tmp_path, "code")
    attempt = engine.blocks(roots, blocks)
    first = next(attempt)
    attempt.close()
    shards = sorted((tmp_path / "shards").rglob("*.safetensors"))
    assert len(shards) == len(blocks)
    shards[0].unlink()
    kept = {path: path.stat().st_mtime_ns for path in shards[1:]}
    again = engine.blocks(roots, blocks)
    made = [next(again) for _ in blocks]
    assert {path: path.stat().st_mtime_ns for path in shards[1:]} == kept
    assert np.array_equal(np.concatenate([part["root"] for part in made]), np.sqrt(np.arange(9)))
    assert os.getpid() not in first["pid"]
    assert list(again) == []
    assert list((tmp_path / "shards").iterdir()) == []


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Trial:
    """A window after the examples that a model was fitted on."""
    place = tastes()
    snapshot = place.snapshot(tmp_path_factory.mktemp("window"))
    source = Source.of(snapshot, SMALL.features, SMALL.evaluation)
    return Trials(source, find_examples(source.history, SMALL.evaluation)).validation


def test_rankings_by_a_worker_are_those_of_one_process(
    window: Trial, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users in several blocks: the same lists and ranks, and scores within 1e-6."""
    monkeypatch.setattr(ranking, "_BLOCK_SCORES", len(window.task.candidates) * len(window.task.users) // 3)
    model = fit(window.data, SMALL.model, SMALL.training, steps=5).model
    score = tower_scores(model, window.data, window.task)
    here = ranking.rank(window.task, window.data.history, score, 10)
    there = ranking.rank(window.task, window.data.history, score, 10, engine=RayEngine(ONE, tmp_path, "code"))
    for name, values in vars(here).items():
        assert vars(there)[name] == pytest.approx(values, abs=1e-6), name


def test_vectors_by_a_worker_are_those_of_one_process(tmp_path: Path) -> None:
    """Videos in three blocks: the same ids in the same order, and vectors within 1e-6."""
    space = feature_space()
    inputs, tower, active = video_inputs(items(space, 25), space), towers(space).item, np.arange(25) % 5 > 0
    here, there = tmp_path / "here.parquet", tmp_path / "there.parquet"
    write_video_embeddings(here, tower, inputs, active, block=8)
    engine = RayEngine(ONE, tmp_path / "ray", "code")
    assert write_video_embeddings(there, tower, inputs, active, block=8, engine=engine) == 20
    for (ids, vectors), (same_ids, same_vectors) in zip(read_blocks(here), read_blocks(there), strict=True):
        assert np.array_equal(ids, same_ids)
        assert vectors == pytest.approx(same_vectors, abs=1e-6)
