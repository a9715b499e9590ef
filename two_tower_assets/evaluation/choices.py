"""What the validation window decided: four numbers by which one recipe adapts to the data, and the curve behind one.

How they are chosen is `selection`'s part.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class TradeOff(_Part):
    """One point of the curve between what is looked at and what is liked."""

    taste_weight: float
    metrics: Mapping[str, float]
    """NDCG@10, recall@200, purity@10, NOPE rate@10, AUC."""


class LikeCalibration(_Part):
    """The like probability sigmoid(a · similarity + b) of a video that is looked at."""

    a: float
    b: float


class Choices(_Part):
    """What was chosen."""

    steps: int
    """Length of the one-cycle schedule of every fit of this run."""
    taste_weight: float
    """How often the log-odds of a LIKE are added to the log-probability of retrieval."""
    popularity_weight: float
    """How often log fading popularity is added to the log-probability of retrieval."""
    fallback_half_life_days: float
    """Of fading popularity, which is also what users without decisions get."""
    rerank_strength: float
    """Share of the default re-ranking's terms."""
    like_calibration: LikeCalibration | None = None
    """Fitted to the decisions of the validation window; null where there were none."""
    trade_off: tuple[TradeOff, ...] = ()
    """What each taste weight would have given."""
