"""Two rankings of the same task, user by user: differences with intervals, for whom, and which lists changed.

Letters: U users, K places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.bootstrap import Interval, Resampling
from two_tower_assets.evaluation.groups import HEAVY, LIGHT
from two_tower_assets.evaluation.metrics.liking import nope_rate_at
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at, recall_at
from two_tower_assets.evaluation.nightly.next_day import RECALL
from two_tower_assets.evaluation.paired.records import ChangedList, Group
from two_tower_assets.evaluation.ranking import PADDING, Ranking
from two_tower_assets.evaluation.report import ALL, NDCG
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.features.history import History
from two_tower_assets.settings import EvaluationSettings

DEPTH: Final = 50
"""Places that are looked at: what `recommend_videos_ann` gives unless it is asked for another number."""
FIRST: Final = 10
"""Places that people see first."""
NOPES: Final = f"nope_rate@{FIRST}"
METRICS: Final = (RECALL, NDCG, NOPES)

_EXAMPLES: Final = 5
_Mask = NDArray[np.bool_]
Figures = Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class Pair:
    """Two models' answers to one task."""

    task: RankingTask
    history: History
    before: Ranking
    """At least `DEPTH` places of each list."""
    after: Ranking

    def groups(self, tastes: Iterable[tuple[str, _Mask]], settings: EvaluationSettings) -> tuple[Group, ...]:
        """Compare for everybody and for groups that have somebody in them.

        Args:
            tastes: further groups, name and [U] mask.
            settings: how often is resampled, and who is light.
        """
        before, after = (found_by(ranking, self.task) for ranking in (self.before, self.after))
        everybody = standing_groups(self.task, self.history, settings)
        return tuple(compared(name, mask_U, before, after, settings) for name, mask_U in [*everybody, *tastes])

    def same(self, settings: EvaluationSettings) -> Interval:
        """Mean share of the first places that both lists hold."""
        shared_U = self._shared()
        found = Resampling(len(shared_U), seed=settings.seed, resamples=settings.resamples).mean(shared_U)
        assert found is not None
        return found

    def changed(self, *, most: int = _EXAMPLES) -> tuple[ChangedList, ...]:
        """Lists that have least in common, of users for whom one's first places hold a LIKE that the other's miss."""
        found = [_found(self.task, ranking) for ranking in (self.before, self.after)]
        shared_U = self._shared()
        differ = [row for row in range(len(self.task.users)) if found[0][row] != found[1][row]]
        chosen = sorted(differ, key=lambda row: (shared_U[row], row))[:most]
        return tuple(
            ChangedList(
                user_id=self.history.user_ids[int(self.task.users[row])],
                liked=self._ids(sorted(found[0][row] | found[1][row])),
                before=self._ids(self.before.top_UK[row, :FIRST].tolist()),
                after=self._ids(self.after.top_UK[row, :FIRST].tolist()),
            )
            for row in chosen
        )

    def _shared(self) -> NDArray[np.float64]:
        before_UK, after_UK = (ranking.top_UK[:, :FIRST] for ranking in (self.before, self.after))
        both_UKK = (before_UK[:, :, None] == after_UK[:, None, :]) & (before_UK != PADDING)[:, :, None]
        lengths_U = np.maximum((before_UK != PADDING).sum(axis=1), (after_UK != PADDING).sum(axis=1))
        return np.asarray(both_UKK.sum(axis=(1, 2)) / np.maximum(lengths_U, 1), np.float64)

    def _ids(self, places: list[int]) -> tuple[str, ...]:
        return tuple(str(self.history.video_ids[self.task.candidates[place]]) for place in places if place != PADDING)


def standing_groups(task: RankingTask, history: History, settings: EvaluationSettings) -> Iterator[tuple[str, _Mask]]:
    """Name and [U] mask of everybody, and of light and heavy users where there are any."""
    known_U = task.state_end - history.user_offsets[task.users]
    light_U = known_U <= settings.light_decisions
    yield ALL, np.ones(len(known_U), np.bool_)
    for name, mask_U in ((LIGHT, light_U), (HEAVY, ~light_U)):
        if mask_U.any():
            yield name, mask_U


def found_by(ranking: Ranking, task: RankingTask) -> Figures:
    """Each metric of `METRICS` by user, [U]; NaN for a user of whom it says nothing."""
    targets, nopes = ranking.targets(task), ranking.nopes(task)
    return {RECALL: recall_at(targets, DEPTH), NDCG: ndcg_at(targets, 10), NOPES: nope_rate_at(nopes, FIRST)}


def compared(name: str, mask_U: _Mask, before: Figures, after: Figures, settings: EvaluationSettings) -> Group:
    """Compare two models' figures for some of the users.

    Args:
        name: of the group.
        mask_U: who is in it.
        before: metric to one value a user, by the one model (`found_by`).
        after: by the other.
        settings: how often is resampled.
    """
    chosen = [{metric: value_U[mask_U] for metric, value_U in values.items()} for values in (before, after)]
    differences = {metric: chosen[1][metric] - chosen[0][metric] for metric in METRICS}
    resampling = Resampling(int(mask_U.sum()), seed=settings.seed, resamples=settings.resamples)
    return Group(
        name=name,
        users=resampling.users,
        before=resampling.means(chosen[0]),
        after=resampling.means(chosen[1]),
        difference=resampling.means(differences),
        better=float((differences[RECALL] > 0).mean()),
        worse=float((differences[RECALL] < 0).mean()),
    )


def _found(task: RankingTask, ranking: Ranking) -> list[set[int]]:
    """[U] places in the candidates of the targets that stand among the first."""
    found: list[set[int]] = [set() for _ in task.users]
    seen = (ranking.target_rank_T >= 0) & (ranking.target_rank_T < FIRST)
    for row, place in zip(task.targets.row[seen].tolist(), task.targets.place[seen].tolist(), strict=True):
        found[row].add(place)
    return found
