"""`vocab_tag.json` and `vocab_actress.json`: names in index order."""

from __future__ import annotations

from two_tower_assets.artifacts.documents import Document


class Vocabulary(Document):
    """Names in the order of their columns."""

    tokens: tuple[str, ...]
