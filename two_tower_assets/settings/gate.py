"""Table `[gate]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from two_tower_assets.settings.fields import Positive, Share, Strict


class GateSettings(Strict):
    """What a model must show before artifacts are made from it."""

    champion: Literal["compare", "ignore"] = "compare"
    """`compare`: the live release's recipe is fitted before the same window and must not be surely better; `ignore`:
    it is left aside, knowingly."""
    margin: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """A model that may lose this share of the live one's recall is refused (paired interval, 90 % confidence)."""
    min_users: Positive = 50
    """Fewer known users in the test window than this prove nothing, and the model is refused."""
    min_recall_ratio: Annotated[float, Field(ge=0)] = 1.0
    """Smallest recall, as a ratio to the best of most and recently popular."""
    min_purity_ratio: Annotated[float, Field(ge=0)] = 0.85
    """Smallest purity@10 as a ratio to most-popular's, whose hits are videos that nearly everybody likes."""
    max_nope_ratio: Annotated[float, Field(ge=0)] = 3.0
    """Largest NOPE rate@10 as a ratio to most-popular's: who finds twice as many LIKEs finds more NOPEs too."""
    min_coverage_ratio: Annotated[float, Field(ge=0)] = 1.0
    """Smallest coverage@10 as a ratio to most-popular's, which shows everybody the same."""
    max_gini_ratio: Annotated[float, Field(ge=0)] = 1.0
    """Largest Gini coefficient of exposure as a ratio to most-popular's."""
    max_maker_ratio: Annotated[float, Field(ge=0)] = 1.5
    """Largest concentration of makers in the lists, as a ratio to what users had liked, or to most-popular's lists
    where these are more concentrated."""
    min_new_video_ratio: Annotated[float, Field(ge=0)] = 1.0
    """Smallest recall@200 of new videos, as a ratio to content cosine's."""
    guard_margin: Annotated[float, Field(ge=0)] = 0.2
    """Share by which purity, coverage, NOPE rate, Gini and maker concentration may be worse than the champion's."""
    max_rerank_cost: Share = 0.03
    """Share of NDCG@10 that the re-ranking of `ai-recommend-v5` may cost on the test window: a model is refused where
    the whole paired 95 % interval is above it."""
    min_shipped_ratio: Share = 0.95
    """Smallest recall@200 of the shipped model on the test window, which it has seen, as a ratio to the evaluated
    model's, which has not."""
    min_shipped_overlap: Share = 0.25
    """Smallest mean overlap of the shipped and the evaluated model's first 50 videos for the same users."""
    sampled_examples: Positive = 500
    """Training examples compared with `get_user_embedding_features` at their moment."""
