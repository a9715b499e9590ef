"""How a release's lists are put in order: its weights of the score, the deployment's settings, and what differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.environment import ListSettings
from two_tower_assets.evaluation.rerank import price_terms, release_terms
from two_tower_assets.experiments.definition import RankingChanges, RerankChanges
from two_tower_assets.settings import RerankSettings

_STRENGTH: Final = "strength"
_WEIGHTS: Final = frozenset(RerankChanges.model_fields) - {_STRENGTH}


@dataclass(frozen=True)
class Ranking:
    """All that decides the order of candidates, besides their distances."""

    lists: ListSettings
    weights: RerankSettings
    strength: float
    """Share of the recency and price terms that counts."""

    @classmethod
    def of(cls, meta: ModelMeta, lists: ListSettings, changes: RankingChanges) -> Ranking:
        """Gather them; a weight that neither names is the contract's.

        Args:
            meta: of the release.
            lists: of the deployment.
            changes: win over both.
        """
        changed = changes.named()
        named = {**(meta.serving or {}).get("rerank", {}), **changed.pop("rerank", {})}
        return cls(
            lists=replace(lists, **changed),
            weights=RerankSettings(**{name: value for name, value in named.items() if name in _WEIGHTS}),
            strength=named.get(_STRENGTH, 1.0),
        )

    def scores(
        self,
        distance_C: NDArray[np.float64],
        released_at_C: NDArray[np.int64],
        price_C: NDArray[np.float64],
        now: int,
    ) -> NDArray[np.float64]:
        """Score candidates, [C].

        Args:
            distance_C: cosine distances to the user's vector.
            released_at_C: microseconds, `MISSING_TIME` for null.
            price_C: NaN for null.
            now: the moment of the list, microseconds.
        """
        terms_C = release_terms(released_at_C, now, self.weights) + price_terms(price_C, self.weights)
        return self.weights.similarity_weight * (1 - distance_C) + self.strength * terms_C
