"""What is known of an arm's users: how many there are, and the sums of their outcome and of what they did before.

Sums can be added up day by day and are all that a readout needs, so that no look reads a user twice. Every number is
an array of any shape S (one entry a look, a simulated experiment or both), or a single one.

Letters: U users, S any shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Self

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Moments:
    """Sums over the users of one arm, each float64 [S]. A user counts once, when the outcome's window is over."""

    users: Numbers
    outcome: Numbers
    """Σ y."""
    before: Numbers
    """Σ x: the same figure before the experiment; of users without a past it is their mean (see `of`)."""
    outcome_squared: Numbers
    before_squared: Numbers
    product: Numbers
    """Σ x y."""

    @classmethod
    def of(cls, outcome_U: Numbers, before_U: Numbers | None = None) -> Self:
        """Sum users up.

        Args:
            outcome_U: y, float64 [U].
            before_U: x, float64 [U]; NaN of users without a past, who then count as average ones.

        Raises:
            ValueError: an outcome is no finite number.
        """
        if not np.isfinite(outcome_U).all():
            raise ValueError("an outcome is no finite number")
        x_U = np.zeros_like(outcome_U) if before_U is None else before_U
        known_U = ~np.isnan(x_U)
        x_U = np.where(known_U, x_U, x_U[known_U].mean() if known_U.any() else 0.0)
        sums = (np.ones_like(outcome_U), outcome_U, x_U, outcome_U**2, x_U**2, x_U * outcome_U)
        return cls(*(np.asarray(values.sum()) for values in sums))

    @classmethod
    def joined(cls, several: Sequence[Moments]) -> Self:
        """Put several of [N, …] one after the other along the first axis."""
        return cls(*(np.concatenate([getattr(each, name.name) for each in several]) for name in fields(cls)))

    def __add__(self, other: Moments) -> Moments:
        """Join the users of two groups."""
        return Moments(*(getattr(self, field.name) + getattr(other, field.name) for field in fields(self)))

    def running(self) -> Moments:
        """Sum up along the last axis: of what each day brought, what is known at each day's end."""
        return Moments(*(np.cumsum(getattr(self, field.name), axis=-1) for field in fields(self)))

    def at(self, look: int) -> Moments:
        """Take one entry of the last axis."""
        return Moments(*(getattr(self, field.name)[..., look] for field in fields(self)))

    @property
    def mean(self) -> Numbers:
        """Mean outcome, [S]; NaN without users."""
        return self._mean(self.outcome)

    @property
    def mean_before(self) -> Numbers:
        """Mean of x, [S]; NaN without users."""
        return self._mean(self.before)

    @property
    def variance(self) -> Numbers:
        """Of the outcome of a user, unbiased, [S]; NaN with fewer than two users."""
        return self._spread(self.outcome_squared, self.outcome, self.outcome)

    @property
    def variance_before(self) -> Numbers:
        """Of x, [S]."""
        return self._spread(self.before_squared, self.before, self.before)

    @property
    def covariance(self) -> Numbers:
        """Of x and the outcome, [S]."""
        return self._spread(self.product, self.before, self.outcome)

    def _mean(self, total: Numbers) -> Numbers:
        return np.divide(total, self.users, out=np.full_like(total, np.nan), where=self.users > 0)

    def _spread(self, products: Numbers, one: Numbers, other: Numbers) -> Numbers:
        centred = products - np.divide(one * other, self.users, out=np.zeros_like(products), where=self.users > 0)
        return np.divide(centred, self.users - 1, out=np.full_like(products, np.nan), where=self.users > 1)
