"""Table `[features]`."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from two_tower_assets.contract import MAX_PAGE
from two_tower_assets.settings.fields import Positive, Strict


class FeatureSettings(Strict):
    """Vocabularies and the way item and current user features are read."""

    preset: Literal["content", "hybrid"] = "content"
    """`content`: a user is numbers, tags and performers; `hybrid`: also which videos they liked and NOPEd."""
    feature_source: Literal["rpc", "rest", "frames"] = "rpc"
    """`rpc`: payloads from the functions of the pipeline's Postgres; `rest`: from the same functions of the project
    at `SUPABASE_URL`, for those who have no Postgres URL of it; `frames`: the same computed from the snapshots."""
    max_tag_vocab: Annotated[int, Field(ge=0)] = 512
    """Largest number of tags in the vocabulary."""
    min_tag_freq: Positive = 3
    """A tag on fewer active videos is left out."""
    max_actress_vocab: Annotated[int, Field(ge=0)] = 256
    """Largest number of performers in the vocabulary."""
    min_actress_freq: Positive = 2
    """A performer on fewer active videos is left out."""
    max_video_vocab: Annotated[int, Field(ge=0)] = 4096
    """Largest number of videos with columns of their own when the preset is `hybrid`; the most liked are kept."""
    min_video_freq: Positive = 1
    """A video with fewer LIKEs is left out."""
    payload_page: Annotated[int, Field(ge=1, le=MAX_PAGE)] = MAX_PAGE
    """Users or videos a batch RPC returns at once."""

    @property
    def reads_video_ids(self) -> bool:
        """Whether the ids of a user's liked and NOPEd videos are features."""
        return self.preset == "hybrid"
