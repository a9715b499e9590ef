"""Table `[rerank]`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from two_tower_assets.settings.fields import Share, Strict


class RerankSettings(Strict):
    """The score that `ai-recommend-v5` sorts by; the defaults are the contract's."""

    similarity_weight: Annotated[float, Field(gt=0)] = 0.75
    """Weight of the cosine similarity."""
    recency_weight: Annotated[float, Field(ge=0)] = 0.3
    """Recency term of a video released now."""
    recency_days: Annotated[float, Field(gt=0)] = 120.0
    """Days after which the recency term has fallen to 1/e."""
    future_release: float = 0.1
    """Recency term of a video that is released later."""
    free: float = 0.02
    """Price term of a price of at most 0."""
    cheap: float = 0.03
    """Price term of a price below `cheap_below`."""
    cheap_below: float = 800.0
    """See `cheap`."""
    dear: float = -0.05
    """Price term of a price above `dear_above`."""
    dear_above: float = 4000.0
    """See `dear`."""
    strengths: tuple[Share, ...] = (1.0, 0.5, 0.25, 0.1, 0.05, 0.02)
    """Shares of the recency and price terms to try on the validation window; the largest that costs little is taken,
    0 when none does."""
    largest_cost: Share = 0.01
    """Share of validation NDCG@10 that the re-ranking may cost."""
    largest_risk: Share = 0.03
    """Share that it may plausibly cost: the upper end of the one-sided 95 % interval over users."""
