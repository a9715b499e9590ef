"""What a released model is asked on the day after it: the second half of what each person decides on that day.

A person's vector is as of the first decision of that half, so that what they decided until then on the same day
counts: many do everything in one sitting. Ranked are the videos that were released by the morning and that they had
not decided on. Letters: U users, T targets.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.baselines.popularity import popularity_at
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at, recall_at
from two_tower_assets.evaluation.ranking import Score, rank
from two_tower_assets.evaluation.report import NDCG
from two_tower_assets.evaluation.task import Later, RankingTask, make_task
from two_tower_assets.features.history import History

RECALL: Final = "recall@50"
"""Fifty videos are what `recommend_videos_ann` gives unless it is asked for another number."""
METRICS: Final = (RECALL, NDCG)
POPULAR_DAYS: Final = 7

_DEPTH: Final = 50


def next_day_task(history: History, catalogue: NDArray[np.int32], morning: int, end: int) -> RankingTask:
    """Ask for the LIKEs of each person's second half of a day.

    Args:
        history: holds the day.
        catalogue: [C] videos that could be recommended in the morning, ascending.
        morning: the day's begin, microseconds since the epoch.
        end: its end.

    Returns:
        Users who had decided something before their moment and have a LIKE after it; decisions of one moment are not
        torn apart.
    """
    everybody = np.arange(len(history.user_ids))
    first, last = (history.prefix_at(everybody, moment) for moment in (morning, end))
    # Who decides nothing on this day is asked nothing; their moment only has to be some number.
    middle = np.minimum(first + (last - first) // 2, len(history.time) - 1)
    moment = history.time[middle]
    known = history.prefix_at(everybody, moment)
    position = np.arange(len(history.time))
    hidden = np.flatnonzero((position >= np.maximum(first, known)[history.user]) & (position < last[history.user]))
    later = Later(history.user[hidden], history.video[hidden], history.kind[hidden])
    task = make_task(history, later, candidates=catalogue, state_end=known, moment=moment)
    return task.part(task.has_history)


def popular_score(history: History, morning: int, task: RankingTask) -> Score:
    """What everybody liked most in the seven days before the morning: a yardstick that costs nothing."""
    likes = history.examples(before=morning)
    return popularity_at(history, likes, morning, days=POPULAR_DAYS).score(task)


def day_values(history: History, task: RankingTask, score: Score) -> dict[str, NDArray[np.float64]]:
    """[U] each of `METRICS` of the lists that a score gives."""
    targets = rank(task, history, score, _DEPTH).targets(task)
    return {RECALL: recall_at(targets, _DEPTH), NDCG: ndcg_at(targets, 10)}
