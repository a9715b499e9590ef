"""What people would use instead of a model: the most liked videos, of all time or lately, the same for everyone."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from two_tower_assets.evaluation.ranking import Score
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.history import LIKE, History
from two_tower_assets.features.times import MICROSECONDS_A_DAY


def like_counts(history: History, since: int, until: int) -> NDArray[np.int64]:
    """[videos] LIKEs made in [since, until), in microseconds."""
    counted = (history.kind == LIKE) & (history.video >= 0) & (history.time >= since) & (history.time < until)
    return np.bincount(history.video[counted], minlength=len(history.video_ids))


def popularity_scores(history: History, task: RankingTask, *, days: int | None = None) -> Score:
    """Score by LIKEs before the cut-off, all of them or those of the last `days`.

    Ties of the last days go by all LIKEs, then by id, so that the baseline is as strong as it can be and the same
    each time.
    """
    ever = like_counts(history, np.iinfo(np.int64).min, task.since)[task.candidates]
    start = np.iinfo(np.int64).min if days is None else task.since - days * MICROSECONDS_A_DAY
    lately = like_counts(history, start, task.since)[task.candidates]
    order = np.lexsort((np.arange(len(ever)), -ever, -lately))
    score_C = torch.empty(len(order))
    score_C[order] = torch.arange(len(order), 0, -1, dtype=torch.float32)

    def score(rows: NDArray[np.int64]) -> Tensor:
        return score_C.repeat(len(rows), 1)

    return score
