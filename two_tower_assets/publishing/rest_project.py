"""A Supabase project through its REST API alone: what is live there, and its video vectors read and upserted.

Every request can be repeated without harm, and is while it fails for now (`rest.asking`). What does not live here:
what may be sent (`rest_upsert`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx
import numpy as np
from numpy.typing import NDArray
from postgrest import CountMethod, ReturnMethod, SyncPostgrestClient

from two_tower_assets.contract import Tables
from two_tower_assets.errors import RestError
from two_tower_assets.rest.asking import REST_PATH, TIMEOUT, Asking, raise_if_passing
from two_tower_assets.steps import Reached, unheard

PAGE: Final = 1000
"""Rows of one answer; hosted projects cut longer ones."""


@dataclass(frozen=True)
class LiveThere:
    """What `get_live_release` says."""

    model_version: str
    activated_at: str
    """ISO 8601."""


class RestProject:
    """One project. Also a context manager that closes its connections.

    Args:
        url: of the project, without a slash at its end.
        key: of the service role; never shown.
        reached: told of every request that has to be repeated.
    """

    def __init__(self, url: str, key: str, *, reached: Reached = unheard) -> None:
        self.url = url
        self._ask = Asking(url, reached=reached)
        self._http = httpx.Client(timeout=TIMEOUT, event_hooks={"response": [raise_if_passing]})
        self._client = SyncPostgrestClient(
            f"{url}{REST_PATH}",
            headers={"apikey": key, "Authorization": f"Bearer {key}"},
            http_client=self._http,
            # One place decides what is repeated.
            retry_enabled=False,
        )

    def __repr__(self) -> str:
        return f"RestProject({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def live(self) -> LiveThere | None:
        """Return the live release, or None before the first.

        Raises:
            RestError: the project cannot be reached, refuses the key, or was never migrated.
        """
        rows: Any = self._ask(lambda: self._client.rpc("get_live_release", {}).execute().data)
        return LiveThere(rows[0]["model_version"], rows[0]["activated_at"]) if rows else None

    def count(self) -> int:
        """Return how many video vectors the live version has.

        Raises:
            RestError: as `live`.
        """
        answer = self._ask(lambda: self._vectors().select("video_id", count=CountMethod.exact, head=True).execute())
        return answer.count or 0

    def stored(self, first: str, last: str) -> Iterator[tuple[str, NDArray[np.float32]]]:
        """Yield (id, vector float32 [256]) of every video from `first` to `last`, both included, ordered by id.

        Pages are followed by key until all counted rows were given, however short the server cuts them.

        Raises:
            RestError: as `live`.
        """
        after: str | None = None
        while True:
            rows, count = self._ask(lambda after=after: self._page(first, last, after))  # type: ignore[misc]
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
        answer = self._ask(
            lambda: (
                self._vectors()
                .upsert(rows, on_conflict="video_id", returning=ReturnMethod.minimal, count=CountMethod.exact)
                .execute()
            )
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
        return self._client.from_(Tables.VIDEO_EMBEDDINGS)
