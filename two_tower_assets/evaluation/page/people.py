"""Ten users of a trial: what they liked, what they would get, why, and what they did afterwards.

They are chosen by how much they had decided, never by how well the lists did. Letters: U users, K ranks, T later
LIKEs, N later NOPEs, V videos, L liked videos of one user, D embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.evaluation.page.data import Missed, Person, Reason, Suggestion
from two_tower_assets.evaluation.task import Pairs, RankingTask
from two_tower_assets.features.history import LIKE, History

PEOPLE: Final = 10
TOP: Final = 10

_SHARES: Final[dict[Literal["new", "light", "heavy"], float]] = {"new": 0.2, "light": 0.4, "heavy": 0.4}
_LIKED: Final = 12
_REASONS: Final = 2
_MISSED: Final = 5
_ID_LENGTH: Final = 8


@dataclass(frozen=True)
class Lists:
    """What the towers said to everybody of a task, and what is needed to explain it."""

    task: RankingTask
    history: History
    """Of the task's users and videos."""
    top_UK: NDArray[np.int64]
    """Places among the candidates, best first, −1 where there were no more."""
    score_UK: NDArray[np.float32]
    """Cosines; those of users without decisions are the fallback's and are not shown."""
    target_rank_T: NDArray[np.int64]
    """0-based rank of each later LIKE, −1 beyond the end of the list."""
    embedding_VD: NDArray[np.float32]
    """Unit vectors of the history's videos."""
    titles: Sequence[str]
    """[V]"""


def people(lists: Lists, *, light_decisions: int, count: int = PEOPLE) -> tuple[Person, ...]:
    """Describe up to `count` users: new ones first, then by growing number of decisions.

    Args:
        lists: of the global split.
        light_decisions: users with at most so many known decisions are light, the others heavy.
        count: how many, a fifth new, two fifths light and two fifths heavy where there are so many.
    """
    task = lists.task
    decisions_U = task.state_end - lists.history.user_offsets[task.users]
    group_U = np.where(~task.has_history, 0, np.where(decisions_U <= light_decisions, 1, 2))
    names = list(_SHARES)
    return tuple(_person(lists, row, names[group_U[row]]) for row in choose(decisions_U, group_U, count))


def choose(decisions_U: NDArray[np.int64], group_U: NDArray[np.int64], count: int) -> list[int]:
    """Rows of users, evenly spread over the number of decisions within each group (0 new, 1 light, 2 heavy)."""
    members = [np.flatnonzero(group_U == number) for number in range(len(_SHARES))]
    chosen: list[int] = []
    for rows, wanted in zip(members, _quotas([len(rows) for rows in members], count), strict=True):
        ordered = rows[np.argsort(decisions_U[rows], kind="stable")]
        spread = np.arange(wanted) * (len(rows) - 1) // max(1, wanted - 1)
        chosen += ordered[spread].tolist()
    return chosen


def _quotas(sizes: Sequence[int], count: int) -> list[int]:
    """Give each place to the group that is furthest behind its share and has somebody left."""
    shares, taken = list(_SHARES.values()), [0] * len(sizes)
    for _ in range(min(count, sum(sizes))):
        open_groups = [group for group, size in enumerate(sizes) if taken[group] < size]
        taken[max(open_groups, key=lambda group: shares[group] - taken[group] / count)] += 1
    return taken


def _person(lists: Lists, row: int, group: Literal["new", "light", "heavy"]) -> Person:
    task, history = lists.task, lists.history
    user = task.users[row]
    past = slice(int(history.user_offsets[user]), int(task.state_end[row]))
    liked_L = history.video[past][(history.kind[past] == LIKE) & (history.video[past] >= 0)][::-1]
    return Person(
        user=history.user_ids[int(user)][:_ID_LENGTH],
        group=group,
        decisions=past.stop - past.start,
        likes=len(liked_L),
        liked=tuple(lists.titles[video] for video in liked_L[:_LIKED]),
        shown=_suggestions(lists, row, liked_L),
        later_likes=int((task.targets.row == row).sum()),
        missed=_missed(lists, row),
    )


def _suggestions(lists: Lists, row: int, liked_L: NDArray[np.int32]) -> tuple[Suggestion, ...]:
    task = lists.task
    places = lists.top_UK[row, :TOP]
    places = places[places >= 0]
    liked, noped = _places_of(task.targets, row), _places_of(task.nopes, row)
    return tuple(
        Suggestion(
            title=lists.titles[task.candidates[place]],
            similarity=float(score) if task.has_history[row] else None,
            reasons=_reasons(lists, int(task.candidates[place]), liked_L) if task.has_history[row] else (),
            later="liked" if place in liked else "noped" if place in noped else None,
        )
        for place, score in zip(places.tolist(), lists.score_UK[row].tolist(), strict=False)
    )


def _reasons(lists: Lists, video: int, liked_L: NDArray[np.int32]) -> tuple[Reason, ...]:
    cosine_L = lists.embedding_VD[liked_L] @ lists.embedding_VD[video]
    nearest = np.argsort(-cosine_L, kind="stable")[:_REASONS]
    return tuple(Reason(title=lists.titles[liked_L[at]], similarity=float(cosine_L[at])) for at in nearest)


def _missed(lists: Lists, row: int) -> tuple[Missed, ...]:
    task = lists.task
    of_row = np.flatnonzero(task.targets.row == row)
    rank_M = lists.target_rank_T[of_row]
    beyond = np.iinfo(np.int64).max
    order = of_row[np.argsort(np.where(rank_M < 0, beyond, rank_M), kind="stable")]
    unseen = [target for target in order.tolist() if not 0 <= lists.target_rank_T[target] < TOP]
    return tuple(
        Missed(
            title=lists.titles[task.candidates[task.targets.place[target]]],
            rank=int(lists.target_rank_T[target]) + 1 if lists.target_rank_T[target] >= 0 else None,
        )
        for target in unseen[:_MISSED]
    )


def _places_of(pairs: Pairs, row: int) -> set[int]:
    return set(pairs.place[pairs.row == row].tolist())
