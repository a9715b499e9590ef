"""Batches: whose state, at which moment, with which target and against which candidates.

Rows are drawn, all at once, as user ∝ (Σ weight of their LIKEs)^½, then one of their LIKEs by weight as target; the
weight halves with age, because tastes of a catalogue move on. The state is that
user's feature vector either just before the target (*next*) or at a random earlier moment (*future*), which is
what a vector is used for that was computed some time ago. Every random number of step n comes from (seed, n), so
batches do not depend on who asks for them in which order. No model here, and nothing of torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.errors import TrainingError
from two_tower_assets.features.history import LIKE, NOPE
from two_tower_assets.features.ragged import ragged_positions
from two_tower_assets.features.sparse_rows import SparseRows
from two_tower_assets.features.times import MICROSECONDS_A_DAY
from two_tower_assets.settings import TrainingSettings
from two_tower_assets.training.data import TrainingData

_ABSENT: Final = -1
_TINY: Final = 1e-300
_BLOCK: Final = 1 << 20
"""LIKEs looked at together, where only a sum is kept."""


@dataclass(frozen=True)
class Batch:
    """One step's input as numpy arrays; the letters are those of `loss`."""

    users: NDArray[np.float32] | SparseRows
    """Features of the rows' users: [B, F], or without the zeros of their bags where they hold few words."""
    items_M: SparseRows
    """Features of the videos to encode."""
    target_B: NDArray[np.int64]
    log_inclusion_U: NDArray[np.float32]
    hidden: NDArray[np.int64]
    slot_M: NDArray[np.int64]
    nope_B: NDArray[np.int64]
    has_nope_B: NDArray[np.bool_]
    log_nope_weight_B: NDArray[np.float32]
    encoded: int
    """M of the whole step; a part of a step has features of some of its videos only."""
    row_share: float
    """Share of the step's rows that are here."""
    nope_share: float
    """The same of its rows that have a NOPE."""


class Sampler:
    """Draws batches from what is known before `data.until`.

    Raises:
        TrainingError: there is nothing to learn from, and what is missing.
    """

    def __init__(self, data: TrainingData, settings: TrainingSettings) -> None:
        self._data = data
        self._settings = settings
        self._likes = _Ragged.of(data.likes.decision, data.history.user_offsets, self._weights_by_age())
        self._nopes = self._find_nopes()
        self._refuse_nothing()
        self._user_cdf = np.cumsum(self._user_weights(self._likes.totals))
        self._target_probability = self._probability_of_targets()

    def batch(self, step: int) -> Batch:
        """Draw the batch of a step (counted from 0)."""
        (whole,) = self.parts(step, range(1), 1)
        return whole

    def parts(self, step: int, chosen: range, count: int) -> list[Batch]:
        """Draw a step and return some of the parts that it is cut into.

        A part has consecutive rows and consecutive videos to encode; its columns count over the videos of all parts.

        Args:
            step: counted from 0.
            chosen: which parts.
            count: how many there are.
        """
        rng = np.random.default_rng((self._settings.seed, step))
        rows = self._draw_rows(rng, future=self._is_future(step))
        video_B = self._data.history.video[rows.like_B]
        candidates = np.unique(np.concatenate([video_B, self._draw_catalogue(rng)]))
        has_nope_B = rows.nope_count_B > 0
        encoded = np.concatenate([candidates, np.setdiff1d(rows.nope_video_B[has_nope_B], candidates)])
        place = np.full(len(self._data.history.video_ids) + 1, _ABSENT, dtype=np.int64)
        place[encoded] = np.arange(len(encoded))
        drawn = _Drawn(rows, candidates, encoded.astype(np.int64), place, int(has_nope_B.sum()))
        return [self._part(drawn, part, count) for part in chosen]

    def _part(self, drawn: _Drawn, part: int, count: int) -> Batch:
        rows = drawn.rows.cut(share_of(len(drawn.rows.user_B), part, count))
        encoded = drawn.encoded[share_of(len(drawn.encoded), part, count)]
        place, width = drawn.place, len(drawn.candidates)
        has_nope_B = rows.nope_count_B > 0
        target_B = place[self._data.history.video[rows.like_B]]
        with np.errstate(divide="ignore"):
            log_nope_weight_B = np.log(self._settings.nope_weight * rows.nope_count_B)
        return Batch(
            users=self._features_of_users(rows),
            items_M=self._data.items.sparse_rows(encoded),
            slot_M=self._data.slot[encoded].astype(np.int64),
            target_B=target_B,
            log_inclusion_U=self._log_inclusion(drawn.candidates),
            hidden=self._hidden(rows, np.where(place < width, place, _ABSENT), target_B, width),
            nope_B=np.where(has_nope_B, place[rows.nope_video_B], 0),
            has_nope_B=has_nope_B,
            log_nope_weight_B=log_nope_weight_B.astype(np.float32),
            encoded=len(drawn.encoded),
            row_share=len(rows.user_B) / len(drawn.rows.user_B),
            nope_share=float(has_nope_B.sum()) / max(1, drawn.nopes),
        )

    def _features_of_users(self, rows: _Rows) -> NDArray[np.float32] | SparseRows:
        states = self._data.states
        whole_BF = states.vectors(rows.user_B.astype(np.int32), rows.end_B, rows.time_B)
        # Bags of videos are read as a whole, and things are hidden in them.
        thin = None if states.space.videos else SparseRows.where_thin(whole_BF, states.space.user_dense_dim)
        return whole_BF if thin is None else thin

    def _draw_rows(self, rng: np.random.Generator, *, future: bool) -> _Rows:
        history = self._data.history
        cdf = self._user_cdf
        user_B = np.searchsorted(cdf, rng.random(self._settings.batch_size) * cdf[-1], side="right")
        like_B = self._likes.draw(user_B, rng)
        state_B = self._draw_moments(user_B, like_B, rng) if future else like_B
        end_B = history.strictly_before[state_B]
        nope_video_B, nope_count_B = self._draw_nopes(user_B, end_B, rng)
        return _Rows(user_B, like_B, end_B, history.time[state_B], nope_video_B, nope_count_B)

    def _is_future(self, step: int) -> bool:
        """Spread `future_share` of the steps evenly: at one half every second step."""
        share = self._settings.future_share
        return int((step + 1) * share) > int(step * share)

    def _draw_moments(
        self, user_B: NDArray[np.int64], like_B: NDArray[np.int32], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """A decision of the same user, uniformly from the first up to the target itself."""
        first_B = self._data.history.user_offsets[user_B]
        return first_B + (rng.random(len(user_B)) * (like_B - first_B + 1)).astype(np.int64)

    def _draw_nopes(
        self, user_B: NDArray[np.int64], end_B: NDArray[np.int32], rng: np.random.Generator
    ) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """One video that each row's user NOPEs after the state, uniformly, and out of how many (0: none)."""
        position = self._nopes
        first_B = np.searchsorted(position, end_B)
        # Of another type, they would have numpy convert all positions.
        user_end_B = self._data.user_end[user_B].astype(np.int32)
        count_B = np.searchsorted(position, user_end_B) - first_B
        none = np.zeros(len(user_B), dtype=np.int32)
        if not self._uses_nopes or not len(position):
            return none, np.zeros_like(count_B)
        at_B = first_B + (rng.random(len(user_B)) * count_B).astype(np.int64)
        video_B = self._data.history.video[position[np.minimum(at_B, len(position) - 1)]]
        return np.where(count_B > 0, video_B, none), count_B

    @property
    def _uses_nopes(self) -> bool:
        return self._settings.nope_weight > 0 or self._settings.taste_loss > 0

    def _draw_catalogue(self, rng: np.random.Generator) -> NDArray[np.int32]:
        if self._settings.negatives == "in_batch":
            return self._data.contenders[:0]
        size = min(self._settings.catalogue_negatives, len(self._data.contenders))
        return rng.choice(self._data.contenders, size, replace=False, shuffle=False)

    def _log_inclusion(self, videos: NDArray[np.int32]) -> NDArray[np.float32]:
        """Log of 1 − (1 − q_v)^(B−1) · (1 − u_v), q_v from the other rows' targets, u_v from the uniform draws."""
        if not self._settings.logq:
            return np.zeros(len(videos), dtype=np.float32)
        with np.errstate(divide="ignore"):
            log_missed = (self._settings.batch_size - 1) * np.log1p(-self._target_probability[videos])
            log_missed += np.log1p(-self._uniform_probability[videos])
        log_inclusion: NDArray[np.float64] = np.log(-np.expm1(log_missed))
        return log_inclusion.astype(np.float32)

    @cached_property
    def _uniform_probability(self) -> NDArray[np.float64]:
        probability = np.zeros(len(self._data.history.video_ids))
        if self._settings.negatives == "catalogue":
            drawn = min(self._settings.catalogue_negatives, len(self._data.contenders))
            probability[self._data.contenders] = drawn / max(1, len(self._data.contenders))
        return probability

    def _user_weights(self, totals: NDArray[np.float64]) -> NDArray[np.float64]:
        """How likely users are drawn, by the sum of their LIKEs' weights; 0 stays 0."""
        weights: NDArray[np.float64] = np.where(
            totals > 0, np.maximum(totals, _TINY) ** self._settings.user_power, 0.0
        )
        return weights

    def _probability_of_targets(self) -> NDArray[np.float64]:
        """[videos] chance that one row has this target: Σ over its LIKEs of W_u^p / ΣW^p · w / W_u."""
        history, likes = self._data.history, self._likes
        # Whose LIKEs are all too old to weigh anything is never drawn.
        total = np.where(likes.totals > 0, likes.totals, 1.0)
        share_U = self._user_weights(total) / total
        probability = np.zeros(len(history.video_ids))
        for start in range(0, len(likes.values), _BLOCK):
            decisions = likes.values[start : start + _BLOCK]
            weights = likes.weights[start : start + _BLOCK] * share_U[history.user[decisions]]
            np.add.at(probability, history.video[decisions], weights)
        return probability / float(self._user_cdf[-1])

    def _hidden(
        self, rows: _Rows, column: NDArray[np.int64], target_B: NDArray[np.int64], width: int
    ) -> NDArray[np.int64]:
        """Flat places of candidates that the row's user decided on before the state, or LIKEs at any time.

        Args:
            rows: who and when.
            column: [videos + 1] candidate column of each video, absent where it is none; last: unknown videos.
            target_B: column of each row's target.
            width: number of candidates.
        """
        if not self._settings.mask_known:
            return np.empty(0, dtype=np.int64)
        history = self._data.history
        first_B = history.user_offsets[rows.user_B]
        row, decision = ragged_positions(first_B, self._data.user_end[rows.user_B] - first_B)
        at = column[history.video[decision]]
        candidates = np.flatnonzero(at != _ABSENT)
        row, decision, at = row[candidates], decision[candidates], at[candidates]
        hides = (history.kind[decision] == LIKE) | (decision < rows.end_B[row])
        hides &= at != target_B[row]
        places: NDArray[np.int64] = row[hides] * width + at[hides]
        return places

    def _weights_by_age(self) -> NDArray[np.float64]:
        """[likes] 2^(−age / half-life), age counted back from the newest example."""
        time = self._data.history.time[self._data.likes.decision]
        weights: NDArray[np.float64] = (time.max(initial=0) - time).astype(np.float64)
        weights /= -MICROSECONDS_A_DAY * self._settings.half_life_days
        np.exp2(weights, out=weights)
        return weights

    def _find_nopes(self) -> NDArray[np.int32]:
        """Positions in the history of all NOPEs of known videos, by user and time."""
        history = self._data.history
        chosen = history.kind == NOPE
        chosen &= history.video >= 0
        chosen &= history.time < self._data.until
        return np.flatnonzero(chosen).astype(np.int32)

    def _refuse_nothing(self) -> None:
        likes = self._data.likes
        videos = np.unique(self._data.history.video[likes.decision])
        if not len(likes):
            _refuse(
                "There is no LIKE of an active video to learn from", "Add decisions, or activate the liked videos."
            )
        elif self._settings.negatives == "catalogue" and len(np.union1d(videos, self._data.contenders)) < 2:
            _refuse("The catalogue has one video only", "Add videos: there is nothing to choose from.")
        elif self._settings.negatives == "in_batch" and (len(videos) < 2 or np.count_nonzero(self._likes.counts) < 2):
            _refuse(
                f"All LIKEs are of one {'video' if len(videos) < 2 else 'user'}, so a batch has no negatives",
                'Add decisions, or set training.negatives = "catalogue".',
            )


@dataclass(frozen=True)
class _Rows:
    """What was drawn for each row."""

    user_B: NDArray[np.int64]
    like_B: NDArray[np.int32]
    """The target, as a position in the history."""
    end_B: NDArray[np.int32]
    """End of the past that the state knows."""
    time_B: NDArray[np.int64]
    """Moment of the state."""
    nope_video_B: NDArray[np.int32]
    """A video that the user NOPEs after the state; any video where there is none."""
    nope_count_B: NDArray[np.int64]
    """How many such NOPEs it stands for."""

    def cut(self, at: slice) -> _Rows:
        """Some of the rows."""
        return _Rows(*(column[at] for column in vars(self).values()))


@dataclass(frozen=True)
class _Drawn:
    """What was drawn for a step."""

    rows: _Rows
    candidates: NDArray[np.int32]
    encoded: NDArray[np.int64]
    """The candidates first, then videos that are only NOPEs of some row."""
    place: NDArray[np.int64]
    """[videos + 1] place of each video among the encoded ones, absent where it is none; last: unknown videos."""
    nopes: int
    """Rows that have a NOPE."""


@dataclass(frozen=True)
class _Ragged:
    """Weighted values grouped by user."""

    values: NDArray[np.int32]
    weights: NDArray[np.float64]
    cumulated: NDArray[np.float64]
    """[values + 1] sum of the weights before each value."""
    offsets: NDArray[np.int64]
    """[users + 1] where each user's values start."""

    @classmethod
    def of(cls, values: NDArray[np.int32], user_offsets: NDArray[np.int64], weights: NDArray[np.float64]) -> _Ragged:
        """Group ascending positions of decisions by the users whose decisions begin at the offsets."""
        cumulated = np.zeros(len(weights) + 1)
        np.cumsum(weights, out=cumulated[1:])
        return cls(values, weights, cumulated, np.searchsorted(values, user_offsets.astype(np.int32)))

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """[users] number of values."""
        return np.diff(self.offsets)

    @cached_property
    def totals(self) -> NDArray[np.float64]:
        """[users] sum of the weights."""
        return np.add.reduceat(np.append(self.weights, 0.0), self.offsets[:-1]) * (self.counts > 0)

    def draw(self, user_B: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int32]:
        """One value of each user by weight; any value where the user has none."""
        first_B, end_B = self.offsets[user_B], self.offsets[user_B + 1]
        low_B, high_B = self.cumulated[first_B], self.cumulated[end_B]
        at_B = np.searchsorted(self.cumulated, low_B + rng.random(len(user_B)) * (high_B - low_B), side="right") - 1
        return self.values[np.clip(at_B, first_B, np.minimum(np.maximum(end_B, 1), len(self.values)) - 1)]


def share_of(length: int, part: int, count: int) -> slice:
    """Where one of `count` consecutive parts of nearly equal length lies."""
    return slice(part * length // count, (part + 1) * length // count)


def _refuse(what: str, remedy: str) -> None:
    raise TrainingError(what, where="training/checkpoint", remedy=remedy)
