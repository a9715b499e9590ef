"""Where releases go: the serving database and the buckets."""

from __future__ import annotations

from dataclasses import dataclass, field

from two_tower_assets.storage.buckets import Buckets


@dataclass(frozen=True)
class Target:
    """One place that clients are served from."""

    url: str = field(repr=False)
    """Postgres URL of the serving database."""
    buckets: Buckets
    """Where the versions' files lie."""
