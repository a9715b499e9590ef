"""Small worlds for tests of baselines: decisions by day, and a task that asks about every user at the cut-off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from two_tower_assets.evaluation.baselines import Fitted
from two_tower_assets.evaluation.task import Later, RankingTask, make_task
from two_tower_assets.training.data import TrainingData
from two_tower_assets_tests.features.worlds import START, uid, world
from two_tower_assets_tests.training.tastes import data_of

CUT = START + timedelta(days=100)

Decision = tuple[int, int, str, float]
"""User, video, kind and the day it was made; the cut-off is day 100."""


def past(
    folder: Path, decisions: Iterable[Decision], *, videos: int | Sequence[Mapping[str, Any]], users: int = 0
) -> TrainingData:
    """What was known at the cut-off.

    So many users like video 0 after it, that they are asked about; those without an earlier decision are new.
    """
    items = [{}] * videos if isinstance(videos, int) else videos
    rows = [(uid(user), uid(video), kind, START + timedelta(days=day)) for user, video, kind, day in decisions]
    decided = {row[:2] for row in rows}
    later = [(uid(user), uid(0), "like", CUT) for user in range(users) if (uid(user), uid(0)) not in decided]
    place = world([{"id": uid(number), **item} for number, item in enumerate(items)], rows + later)
    return data_of(place, folder, CUT)


def likes(pairs: Iterable[tuple[int, int]]) -> list[Decision]:
    """(User, video) pairs as LIKEs of the first days, in their order."""
    return [(user, video, "like", 1 + number / 1000) for number, (user, video) in enumerate(pairs)]


def asked(data: TrainingData) -> RankingTask:
    """Everyone who likes a candidate after the cut-off."""
    history = data.history
    later = np.flatnonzero(history.time >= data.until)
    return make_task(
        history,
        Later(history.user[later], history.video[later], history.kind[later]),
        candidates=data.catalogue,
        state_end=data.user_end,
        moment=np.full(len(history.user_ids), data.until),
    )


def scores(fitted: Fitted, task: RankingTask) -> NDArray[np.float32]:
    """All users' scores, [users of the task, candidates]."""
    score_UC = fitted.score(task)(np.arange(len(task.users)))
    assert score_UC.dtype == torch.float32
    result: NDArray[np.float32] = score_UC.numpy()
    return result


def ranked(score_UC: NDArray[np.float32]) -> list[list[int]]:
    """Each user's candidates, best first."""
    order: list[list[int]] = np.argsort(-score_UC, axis=1, kind="stable").tolist()
    return order
