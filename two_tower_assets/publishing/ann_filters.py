"""The filters that an index is checked under, and which videos each of them admits.

Each is one that the Edge Functions use, with a value that the catalogue makes hard: what a person has seen, the
strictest safety level, the most frequent region, the three most frequent tags banned, and one that keeps 1 % of the
videos whatever they are like. What does not live here: searching and judging (`ann_check`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.database.queries import query
from two_tower_assets.publishing.probes import Probes
from two_tower_assets.publishing.writer import Connection

SEEN: Final = "seen videos"
ONE_PERCENT: Final = "1 % of the videos"
_KEPT_SHARE: Final = 0.01


@dataclass(frozen=True, eq=False)
class AnnFilter:
    """One filter as the search takes it, and what it admits."""

    name: str
    parameters: Mapping[str, Any]
    """Parameters of the query `ann_search`."""
    admitted: NDArray[np.str_]
    """Ids of the catalogue's videos, str, ascending."""
    seen: Mapping[int, NDArray[np.str_]]
    """Probe to the ids that are withheld from it alone, ascending."""

    def mask(self, ids: NDArray[np.str_], probes: int) -> NDArray[np.bool_]:
        """Which of some videos each probe may be shown: bool [probes, len(ids)]; `ids` ascend."""
        mask = np.tile(contains(self.admitted, ids), (probes, 1))
        for probe, withheld in self.seen.items():
            mask[probe] &= ~contains(withheld, ids)
        return mask


def filters_for(connection: Connection, ids: NDArray[np.str_], probes: Probes) -> tuple[AnnFilter, ...]:
    """The five filters, with values that this catalogue makes hard.

    Args:
        connection: to the serving database.
        ids: all videos of the version, str [N].
        probes: whose decisions are withheld from them.
    """
    row = connection.execute(query("ann_filter_values")).fetchone()
    assert row is not None
    level, region, tags = row
    keep = max(1, round(_KEPT_SHARE * len(ids)))
    kept = set(sorted(ids.tolist(), key=_scattered)[:keep])
    return (
        _filter(connection, SEEN, seen=_seen(connection, probes), without_seen=True),
        _filter(connection, "safety level", max_safety_level=level),
        _filter(connection, "region", regions=None if region is None else [region]),
        _filter(connection, "banned tags", banned_tag_ids=tags),
        _filter(connection, ONE_PERCENT, exclude=[video for video in ids.tolist() if video not in kept]),
    )


def active(connection: Connection) -> AnnFilter:
    """No filter: every active video."""
    return _filter(connection, "none")


def contains(ascending: NDArray[np.str_], values: NDArray[np.str_]) -> NDArray[np.bool_]:
    """Which of `values` stand in `ascending`: bool [len(values)]."""
    if not len(ascending):
        return np.zeros(len(values), np.bool_)
    places = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    return np.asarray(ascending[places] == values)


def _filter(
    connection: Connection,
    name: str,
    *,
    seen: Mapping[int, NDArray[np.str_]] | None = None,
    **given: Any,
) -> AnnFilter:
    parameters = {
        "banned_tag_ids": None,
        "max_safety_level": None,
        "regions": None,
        "exclude": None,
        "without_seen": False,
        **given,
    }
    admitted = connection.execute(query("ann_admissible"), parameters).fetchall()
    return AnnFilter(name, parameters, np.array([video for (video,) in admitted], np.str_), seen or {})


def _seen(connection: Connection, probes: Probes) -> dict[int, NDArray[np.str_]]:
    users = probes.users.tolist()
    found: dict[str, list[str]] = {}
    for user, video in connection.execute(query("ann_seen"), {"users": users}).fetchall():
        found.setdefault(user, []).append(video)
    return {number: np.array(found[user], np.str_) for number, user in enumerate(users) if user in found}


def _scattered(video: str) -> bytes:
    """Put videos in an order that has nothing to do with what they are like, the same each time."""
    return hashlib.sha256(video.encode()).digest()
