"""`vocab_tag.json`, `vocab_actress.json` and, where a user has bags of videos, `vocab_video.json`."""

from __future__ import annotations

from two_tower_assets.artifacts.documents import Document
from two_tower_assets.contract import Files
from two_tower_assets.features.space import FeatureSpace


class Vocabulary(Document):
    """Names in the order of their columns."""

    tokens: tuple[str, ...]


def vocabularies(space: FeatureSpace) -> dict[str, Vocabulary]:
    """Return every vocabulary of a feature space by its file name; that of videos only when it is not empty."""
    documents = {
        Files.TAG_VOCABULARY: Vocabulary(tokens=space.tags),
        Files.PERFORMER_VOCABULARY: Vocabulary(tokens=space.performers),
    }
    if space.videos:
        documents[Files.VIDEO_VOCABULARY] = Vocabulary(tokens=space.videos)
    return documents
