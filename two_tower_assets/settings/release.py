"""Table `[release]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from two_tower_assets.settings.fields import Positive, Share, Strict


class ReleaseSettings(Strict):
    """The vector index, its check and what is kept."""

    vector_index: Literal["vector", "halfvec"] = "vector"
    """Numbers in the index: float32, or float16 at half the memory; the table keeps float32 either way."""
    hnsw_m: Annotated[int, Field(ge=2, le=100)] = 16
    """Links a node of the HNSW graph."""
    hnsw_ef_construction: Annotated[int, Field(ge=4, le=1000)] = 64
    """Candidates looked at while the graph is built."""
    maintenance_work_mem_mb: Positive = 256
    """Memory of the index build, in MiB."""
    min_ann_recall: Share = 0.98
    """Smallest recall@10 and recall@50 of the index against exact search."""
    min_filtered_ann_recall: Share = 0.95
    """The same under each filter that the Edge Functions use."""
    ann_queries: Positive = 200
    """User vectors that the index check asks with."""
    filtered_ann_queries: Positive = 50
    """How many of them also ask under each filter."""
    active_user_days: Positive = 30
    """Users with a decision in the last so many days get their new vectors before the version goes live."""
    keep_versions: Positive = 3
    """Versions whose vectors stay in the database for rollback, the live one included."""
