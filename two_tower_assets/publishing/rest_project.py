"""A Supabase project through its REST API alone: what is live there, and its video vectors read and upserted.

Every request can be repeated without harm. What does not live here: repeating them (`rest.client`), and what may be
sent (`rest_upsert`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from postgrest import APIError, CountMethod, ReturnMethod

from two_tower_assets.contract import Tables
from two_tower_assets.errors import PublishingError, RestError, TwoTowerError
from two_tower_assets.rest.client import PAGE, RestClient
from two_tower_assets.rest.refusals import refused

_OTHER_VERSION: Final = "23514"
_LIVE: Final = ("model_version", "activated_at", "manifest_hash")


@dataclass(frozen=True)
class LiveThere:
    """What `get_live_release` says."""

    model_version: str
    activated_at: str
    """ISO 8601."""
    manifest_hash: str | None
    """Hex SHA-256 of its `manifest.json`."""


class RestProject(RestClient):
    """One project, as where a version's vectors are; built and closed as a `RestClient` is."""

    def live(self) -> LiveThere | None:
        """Return the live release, or None before the first.

        Raises:
            RestError: the project cannot be reached, refuses the key, or was never migrated.
        """
        rows: Any = self.rpc("get_live_release", {})
        return LiveThere(**{name: rows[0][name] for name in _LIVE}) if rows else None

    def traffic(self) -> tuple[tuple[float, float], ...]:
        """Return the slices of users that running experiments have.

        Raises:
            RestError: as `live`.
        """
        serving: Any = self.rpc("get_serving", {})
        return tuple((one["from"], one["until"]) for one in serving["experiments"])

    def count(self) -> int:
        """Return how many video vectors the live version has.

        Raises:
            RestError: as `live`.
        """
        answer = self.ask(lambda: self._vectors().select("video_id", count=CountMethod.exact, head=True).execute())
        return answer.count or 0

    def vectors_of(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return the live version's vectors float32 [256] of some hundred videos at most, by id.

        Raises:
            RestError: as `live`.
        """
        answer = self.ask(lambda: self._vectors().select("video_id", "embedding").in_("video_id", ids).execute())
        return {row["video_id"]: np.array(json.loads(row["embedding"]), np.float32) for row in answer.data}

    def stored(self, first: str, last: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Yield (id, vector float32 [256]) of every video from `first` to `last`, both included, ordered by id.

        Pages are followed by key until all counted rows were given, however short the server cuts them.

        Raises:
            RestError: as `live`.
        """
        after: str | None = None
        while True:
            rows, count = self.ask(lambda after=after: self._page(first, last, after))  # type: ignore[misc]
            for row in rows:
                yield row["video_id"], np.array(json.loads(row["embedding"]), np.float32)
            if not rows or len(rows) >= count:
                return
            after = rows[-1]["video_id"]

    def upsert(self, rows: Sequence[dict[str, str]]) -> None:
        """Insert or replace video vectors by `video_id`: all of them or none.

        Raises:
            RestError: as `live`, or the project took another number of rows.
            PublishingError: another version is live there by now.
        """
        answer = self.ask(
            lambda: (
                self._vectors()
                .upsert(rows, on_conflict="video_id", returning=ReturnMethod.minimal, count=CountMethod.exact)
                .execute()
            ),
            refusal=_refusal,
        )
        if answer.count != len(rows):
            raise RestError(
                f"The project took {answer.count} of {len(rows)} rows",
                where=self.url,
                remedy=f"Look for triggers and policies on public.{Tables.VIDEO_EMBEDDINGS}, then run again.",
            )

    def _page(self, first: str, last: str, after: str | None) -> tuple[list[Any], int]:
        query = self._vectors().select("video_id", "embedding", count=CountMethod.exact)
        begun = query.gte("video_id", first) if after is None else query.gt("video_id", after)
        answer = begun.lte("video_id", last).order("video_id").limit(PAGE).execute()
        return list(answer.data), answer.count or 0

    def _vectors(self) -> Any:
        return self.api.from_(Tables.VIDEO_EMBEDDINGS)


def _refusal(error: APIError, where: str) -> TwoTowerError:
    if error.code == _OTHER_VERSION:
        return PublishingError(
            "The project takes no vectors of this version any more: another one went live there meanwhile",
            where=where,
            remedy="Look at what is live (`two-tower releases`), then send that version's file or publish this one.",
        )
    return refused(error, where)
