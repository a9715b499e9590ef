"""Whose taste is which: the tag that a person had liked most often by the moment at which they are asked.

Letters: U users of a task, V videos.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.history import LIKE, History
from two_tower_assets.features.ragged import ragged_positions

COMMONEST: Final = 5


def taste_groups(
    task: RankingTask, history: History, tags_V: Sequence[Sequence[str]], *, most: int = COMMONEST
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Name and [U] mask of the users of each of the commonest tastes, the commonest first.

    Args:
        task: whom it is about; what they did after their moment is not looked at.
        history: their decisions.
        tags_V: of each video of the history.
        most: tastes at most.
    """
    taste_U = _tastes(task, history, tags_V)
    counted = taste_U.drop_nulls().value_counts().sort("count", "taste", descending=[True, False])
    for taste in counted["taste"].head(most).to_list():
        yield f"taste: {taste}", (taste_U == taste).fill_null(value=False).to_numpy()


def _tastes(task: RankingTask, history: History, tags_V: Sequence[Sequence[str]]) -> pl.Series:
    """[U] the tag of most LIKEs, of several the first by name; null without any."""
    starts = history.user_offsets[task.users]
    row, position = ragged_positions(starts, task.state_end - starts)
    likes = pl.DataFrame({"row": row, "video": history.video[position], "kind": history.kind[position]}).filter(
        (pl.col("kind") == LIKE) & (pl.col("video") >= 0)
    )
    tags = pl.DataFrame(
        {"video": np.arange(len(tags_V), dtype=np.int32), "taste": pl.Series(tags_V, dtype=pl.List(pl.String))}
    )
    found = (
        likes.join(tags.explode("taste").drop_nulls(), on="video")
        .group_by("row", "taste")
        .len()
        .sort("row", "len", "taste", descending=[False, True, False])
        .unique("row", keep="first")
    )
    rows = pl.DataFrame({"row": np.arange(len(task.users))})
    return rows.join(found, on="row", how="left").sort("row")["taste"]
