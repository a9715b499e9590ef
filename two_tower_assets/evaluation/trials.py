"""The protocols: what a method may learn from, and what it is asked afterwards.

| trial | what is hidden | users are asked as of |
|---|---|---|
| `global` | every decision from a moment on | that moment |
| `per_user` | each user's last decisions | the first of these |
| `new_videos` | all decisions on some videos, which do not exist while learning | their last known decision |

The global split is the judge: nobody knows anything of the future. The per-user split shows continuing sessions and
asks many more users; it lets a method see what others did later. What is hidden is not masked but taken out of
the history, except that the global trial keeps its users' indices. What does not live here: methods and metrics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.evaluation.lazily import Lazily
from two_tower_assets.evaluation.task import Later, RankingTask, make_task
from two_tower_assets.features.build import build_space, space_of_frames
from two_tower_assets.features.history import History
from two_tower_assets.features.liked_names import CHECKPOINT_BYTES
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.features.times import moment_of
from two_tower_assets.settings import EvaluationSettings, FeatureSettings, ResourcesSettings
from two_tower_assets.sources.snapshot import Snapshot, open_snapshot
from two_tower_assets.training.data import TrainingData, training_data
from two_tower_assets.training.examples import Examples, find_examples

GLOBAL = "global"
PER_USER = "per_user"
NEW_VIDEOS = "new_videos"

_PROTOCOLS: Final = 5
"""Two windows of validation, and what is asked."""
_BYTES_A_DECISION: Final = 60
"""Of a trial: its part of the history, running sums, names of LIKEs."""


@dataclass(frozen=True)
class Trial:
    """What may be seen, and what is asked."""

    name: str
    data: TrainingData
    task: RankingTask

    @property
    def space(self) -> FeatureSpace:
        """Features built from what may be seen."""
        return self.data.states.space


@dataclass(frozen=True)
class Source:
    """What trials are cut out of."""

    snapshot: Snapshot
    history: History
    features: FeatureSettings
    evaluation: EvaluationSettings

    @classmethod
    def of(cls, snapshot: Snapshot, features: FeatureSettings, evaluation: EvaluationSettings) -> Source:
        """Read a snapshot's decisions."""
        return cls(snapshot, History.from_snapshot(snapshot), features, evaluation)


def global_trial(
    source: Source, examples: Examples, since: int, until: int, *, space: FeatureSpace | None = None
) -> Trial:
    """Hide everything from `since` on, and ask for the LIKEs in [since, until), in microseconds.

    Args:
        source: the snapshot.
        examples: all its training examples.
        since: the cut-off.
        until: end of the window.
        space: features from before the cut-off, when they are at hand.
    """
    # What is counted for a trial goes with it: the source's history holds the decisions alone.
    history, moment = replace(source.history), moment_of(since)
    space = space or build_space(source.snapshot, settings=source.features, before=moment, history=history)
    data = training_data(source.snapshot, history, examples, space, before=moment)
    in_window = np.flatnonzero((history.time >= since) & (history.time < until))
    task = make_task(
        history,
        _later(history, in_window, history.user),
        candidates=data.catalogue,
        state_end=data.user_end,
        moment=np.full(len(history.user_ids), since),
    )
    return Trial(GLOBAL, data, _few_users(task, source.evaluation))


def validation_trial(source: Source, examples: Examples) -> Trial:
    """The window before the test: what steps, weights and baselines are chosen on."""
    split = examples.split
    return global_trial(source, examples, split.validation_from, split.test_from)


def final_trial(source: Source, examples: Examples, *, space: FeatureSpace | None = None) -> Trial:
    """The test window: the judge."""
    split = examples.split
    return global_trial(source, examples, split.test_from, split.end, space=space)


def per_user_trial(source: Source, *, validation: bool = False) -> Trial:
    """Hide each user's last decisions, `evaluation.per_user_share` of them rounded down.

    Args:
        source: the snapshot.
        validation: first forget what the test asks for, so that settings are not chosen on it.
    """
    share = source.evaluation.per_user_share
    first, end = source.history.user_offsets[:-1], source.history.user_offsets[1:]
    cut = _before_last(first, end, share)
    if validation:
        cut, end = _before_last(first, cut, share), cut
    return _hidden_suffixes(source, cut, end)


def new_videos_trial(source: Source) -> Trial:
    """Hide all decisions on a fixed draw of the videos that somebody decided on, and ask who will like them.

    While learning these videos do not exist; afterwards all of the catalogue is ranked.
    """
    drawn_V = draw_new_videos(source)
    history = source.history
    is_hidden = drawn_V[history.video] & (history.video >= 0)
    past, user_of = part_of(history, ~is_hidden)
    data = _data(source, past)
    hidden = np.flatnonzero(is_hidden)
    task = make_task(
        past,
        _later(history, hidden, user_of[history.user]),
        candidates=data.catalogue,
        state_end=data.user_end,
        moment=past.time[past.user_offsets[1:] - 1] + 1,
    )
    unseen = replace(data, catalogue=data.catalogue[~drawn_V[data.catalogue]])
    return Trial(NEW_VIDEOS, unseen, _few_users(task, source.evaluation))


def draw_new_videos(source: Source) -> NDArray[np.bool_]:
    """[V] the draw: a share of the videos with a decision, the same for the same catalogue and seed."""
    history, settings = source.history, source.evaluation
    decided = np.unique(history.video[history.video >= 0])
    count = int(settings.new_video_share * len(decided))
    drawn_V = np.zeros(len(history.video_ids), dtype=np.bool_)
    drawn_V[np.random.default_rng(settings.seed).choice(decided, count, replace=False)] = True
    return drawn_V


def part_of(history: History, kept: NDArray[np.bool_]) -> tuple[History, NDArray[np.int64]]:
    """Return a history of some decisions ([D] mask), and each user's index in it, −1 for users left without any."""
    users = np.unique(history.user[kept])
    user_of = np.full(len(history.user_ids), -1, dtype=np.int64)
    user_of[users] = np.arange(len(users))
    decisions_of = np.bincount(user_of[history.user[kept]], minlength=len(users))
    part = replace(
        history,
        user_ids=history.user_ids[users],
        user_offsets=np.concatenate(([0], np.cumsum(decisions_of, dtype=np.int64))),
        video=history.video[kept],
        kind=history.kind[kept],
        time=history.time[kept],
    )
    return part, user_of


def _before_last(first: NDArray[np.int64], end: NDArray[np.int64], share: float) -> NDArray[np.int64]:
    cut: NDArray[np.int64] = end - np.floor((end - first) * share).astype(np.int64)
    return cut


def _hidden_suffixes(source: Source, cut: NDArray[np.int64], end: NDArray[np.int64]) -> Trial:
    history = source.history
    position = np.arange(len(history.time))
    known = position < cut[history.user]
    past, user_of = part_of(history, known)
    data = _data(source, past)
    hidden = np.flatnonzero(~known & (position < end[history.user]))
    # Users without a hidden decision are asked nothing; their moment only has to be some number.
    moment = history.time[np.minimum(cut, len(history.time) - 1)]
    task = make_task(
        past,
        _later(history, hidden, user_of[history.user]),
        candidates=data.catalogue,
        state_end=data.user_end,
        moment=moment[user_of >= 0],
    )
    return Trial(PER_USER, data, _few_users(task, source.evaluation))


def _data(source: Source, past: History) -> TrainingData:
    """What may be seen when only some decisions exist."""
    snapshot = source.snapshot
    space = space_of_frames(
        past,
        videos=snapshot.videos().collect(),
        profiles=snapshot.profiles().collect(),
        cutoff=snapshot.cutoff,
        settings=source.features,
    )
    examples = find_examples(past, source.evaluation)
    return training_data(snapshot, past, examples, space)


def _later(history: History, decisions: NDArray[np.int64], user_of_decision: NDArray[np.integer]) -> Later:
    return Later(user_of_decision[decisions], history.video[decisions], history.kind[decisions])


def _few_users(task: RankingTask, settings: EvaluationSettings) -> RankingTask:
    """A fixed sample of the users when there are more than `evaluation.max_users`."""
    return sample_users(task, settings.max_users, settings.seed)


def sample_users(task: RankingTask, most: int, seed: int) -> RankingTask:
    """The same task for a fixed draw of its users when there are more than `most`."""
    if len(task.users) <= most:
        return task
    chosen = np.zeros(len(task.users), dtype=np.bool_)
    chosen[np.random.default_rng(seed).choice(len(task.users), most, replace=False)] = True
    return task.part(chosen)


@dataclass(frozen=True)
class Trials:
    """All protocols of one snapshot, each cut out when it is asked for.

    Those that were cut out are kept as long as all fit into the memory beside one another; else only the last one is.
    """

    source: Source
    examples: Examples
    memory_mib: int = ResourcesSettings().memory_limit_mib
    """Of the process; half of it may be taken by trials that are kept."""
    _kept: dict[str, Trial] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def validation(self) -> Trial:
        """See `validation_trial`."""
        return self._trial("validation", lambda: validation_trial(self.source, self.examples))

    @property
    def test(self) -> Trial:
        """See `final_trial`."""
        return self._trial("test", lambda: final_trial(self.source, self.examples))

    @property
    def per_user_validation(self) -> Trial:
        """See `per_user_trial`."""
        return self._trial("per_user_validation", lambda: per_user_trial(self.source, validation=True))

    @property
    def per_user(self) -> Trial:
        """See `per_user_trial`."""
        return self._trial("per_user", lambda: per_user_trial(self.source))

    @property
    def new_videos(self) -> Trial:
        """See `new_videos_trial`."""
        return self._trial("new_videos", lambda: new_videos_trial(self.source))

    @cached_property
    def videos(self) -> pl.DataFrame:
        """The snapshot's videos, in the history's order."""
        return self.source.snapshot.videos().collect()

    @property
    def asked(self) -> Lazily[Trial]:
        """The trials that the report is about."""
        return Lazily(
            {GLOBAL: lambda: self.test, PER_USER: lambda: self.per_user, NEW_VIDEOS: lambda: self.new_videos}
        )

    def _trial(self, name: str, cut_out: Callable[[], Trial]) -> Trial:
        if name not in self._kept:
            if not self.all_fit:
                self._kept.clear()
            self._kept[name] = cut_out()
        return self._kept[name]

    @property
    def all_fit(self) -> bool:
        """Whether all are kept beside one another."""
        a_trial = CHECKPOINT_BYTES + _BYTES_A_DECISION * len(self.source.history.time)
        return _PROTOCOLS * a_trial <= self.memory_mib * 2**20 // 2


@lru_cache(maxsize=1)
def trials_of(
    folder: Path, features: FeatureSettings, evaluation: EvaluationSettings, resources: ResourcesSettings
) -> Trials:
    """Cut the snapshot in a folder into trials; the last ones are kept, since every method of a run answers them."""
    source = Source.of(open_snapshot(folder), features, evaluation)
    return Trials(source, find_examples(source.history, evaluation), resources.memory_limit_mib)
