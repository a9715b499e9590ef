"""A fit by Ray Train: workers that find each other, are replaced when one dies, and go on from what was kept last."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import ray
import torch
from ray import train
from ray.train.torch import TorchTrainer

from two_tower_assets.distributed.cluster import join_cluster
from two_tower_assets.distributed.content import content_hash
from two_tower_assets.distributed.journal import Entry, Journal
from two_tower_assets.distributed.replica import Task, run_replica
from two_tower_assets.distributed.replica_state import ReplicaState
from two_tower_assets.distributed.step import Crew
from two_tower_assets.errors import EngineError, TrainingError
from two_tower_assets.settings import RaySettings
from two_tower_assets.training.trainer import Curves, Fit, StepReport, Watch, new_model, unwatched

_KEPT_STATES: Final = 2
_LINES_TOLD: Final = 3
"""Of Ray's text about a failure: which worker, and its error; traces follow."""


@dataclass(frozen=True)
class _Place:
    """Where one fit keeps what it needs to go on; found again by what is fitted."""

    folder: Path
    name: str

    @property
    def journal(self) -> Journal:
        return Journal(self.folder / f"{self.name}.jsonl")

    def clear(self) -> None:
        shutil.rmtree(self.folder / self.name, ignore_errors=True)
        self.journal.path.unlink(missing_ok=True)


def ray_fit(task: Task, settings: RaySettings, folder: Path, *, salt: str, watch: Watch) -> Fit:
    """Fit by Ray's workers, going on from where the same fit was broken off, by whatever number of workers.

    Args:
        task: what is fitted.
        settings: the workers.
        folder: seen by all of them.
        salt: whatever else decides whether a kept state may be used, such as the version of the code.
        watch: called in this process, soon after each step.

    Raises:
        TrainingError: there is nothing to learn from, or the loss is no longer finite.
        EngineError: workers died more often than they may.
    """
    join_cluster(settings)
    folder.mkdir(parents=True, exist_ok=True)
    place = _Place(folder, _name(task, settings, salt))
    journal = place.journal
    journal.path.unlink(missing_ok=True)
    with journal.followed(lambda entry: _tell(entry, watch)):
        state = _trained(task, settings, place)
    entries = journal.entries()
    place.clear()
    _raise_refusal(entries)
    assert state is not None
    return _fit_of(task, state, _ran(entries, settings))


def _name(task: Task, settings: RaySettings, salt: str) -> str:
    measured = task.validate is not None
    return content_hash(task.data, task.model, task.settings, task.steps, measured, settings.slices, salt)


def _trained(task: Task, settings: RaySettings, place: _Place) -> ReplicaState | None:
    """Run the workers to the end; None when they refused."""
    logging.getLogger("ray.train").setLevel(logging.WARNING)
    trainer = TorchTrainer(
        work,
        train_loop_config={
            # Inside a list, so that Ray hands the reference on and every worker reads it by itself.
            "task": [ray.put(task)],
            "slices": settings.slices,
            "keep_every": settings.checkpoint_steps,
            "journal": str(place.journal.path),
        },
        scaling_config=train.ScalingConfig(
            num_workers=settings.workers, resources_per_worker={"CPU": settings.cpus_per_worker}
        ),
        run_config=train.RunConfig(
            name=place.name,
            storage_path=str(place.folder),
            failure_config=train.FailureConfig(max_failures=settings.retries),
            checkpoint_config=train.CheckpointConfig(num_to_keep=_KEPT_STATES),
        ),
    )
    try:
        result = trainer.fit()
    except train.TrainingFailedError as error:
        raise EngineError(
            f"The workers of a fit failed more than {settings.retries} times; the last time by: {_told(error)}",
            where="ray.retries",
            remedy="Run again: the fit goes on where it was. If they were killed for memory, give them more or set "
            "ray.workers lower.",
        ) from None
    if result.checkpoint is None:
        return None
    with result.checkpoint.as_directory() as kept:
        return ReplicaState.load(Path(kept))


def _told(error: Exception) -> str:
    return " ".join(str(error).splitlines()[:_LINES_TOLD])


def work(config: dict[str, Any]) -> None:
    """What each worker runs, within torch's process group."""
    torch.set_num_threads(max(1, int(os.environ.get("OMP_NUM_THREADS", "1"))))
    crew = Crew.of_process_group(config["slices"])
    task: Task = ray.get(config["task"][0])
    journal = Journal(Path(config["journal"]))
    kept = _kept_state()
    journal.began(rank=crew.rank, pid=os.getpid(), step=kept.taken if kept else 0)
    try:
        run_replica(
            task,
            crew,
            keep=lambda state: _keep(state, crew),
            keep_every=config["keep_every"],
            watch=journal.took if crew.rank == 0 else unwatched,
            kept=kept,
        )
    except TrainingError as error:
        # All workers raise the same at the same step; to Ray, it is no reason to try again.
        if crew.rank == 0:
            journal.refused(error)


def _kept_state() -> ReplicaState | None:
    checkpoint = train.get_checkpoint()
    if checkpoint is None:
        return None
    with checkpoint.as_directory() as folder:
        return ReplicaState.load(Path(folder))


def _keep(state: ReplicaState, crew: Crew) -> None:
    """Hand the state to Ray, which copies it to the folder before any worker goes on."""
    metrics = {"step": state.taken}
    if crew.rank:
        train.report(metrics)
        return
    with tempfile.TemporaryDirectory() as folder:
        state.save(Path(folder))
        train.report(metrics, checkpoint=train.Checkpoint.from_directory(folder))


def _tell(entry: Entry, watch: Watch) -> None:
    if entry["entry"] == "took":
        watch(StepReport(**{name: value for name, value in entry.items() if name != "entry"}))


def _raise_refusal(entries: list[Entry]) -> None:
    for entry in entries:
        if entry["entry"] == "refused":
            raise TrainingError(entry["what"], where=entry["where"], remedy=entry["remedy"])


def _ran(entries: list[Entry], settings: RaySettings) -> dict[str, Any]:
    """How the fit went, for its metadata."""
    starts = [entry["step"] for entry in entries if entry["entry"] == "began" and entry["rank"] == 0]
    return {
        "engine": "ray",
        "workers": settings.workers,
        "began_at_steps": starts,
        "restarts": max(0, len(starts) - 1),
    }


def _fit_of(task: Task, state: ReplicaState, ran: dict[str, Any]) -> Fit:
    with torch.random.fork_rng(devices=[]):
        model = new_model(task.data, task.model, task.settings)
    model.load_state_dict(state.weights)
    rate = state.taken * task.settings.batch_size / state.seconds
    return Fit(model.eval(), state.taken, Curves(state.losses, state.validations), rate, ran)
