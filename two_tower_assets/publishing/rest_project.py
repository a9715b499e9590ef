"""A Supabase project through its REST API alone: what is live there, and its video vectors read and upserted.

Requests that fail for a while (429, 5xx, a cut or slow connection) are repeated with a growing pause; every one of
them can be repeated without harm. What does not live here: what may be sent (`rest_upsert`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeVar

import httpx
import numpy as np
import stamina
from numpy.typing import NDArray
from postgrest import APIError, CountMethod, ReturnMethod, SyncPostgrestClient

from two_tower_assets.contract import Tables
from two_tower_assets.errors import RestError
from two_tower_assets.publishing.rest_refusals import Again, refused, unreachable
from two_tower_assets.steps import Reached, unheard

_T = TypeVar("_T")

REST_PATH: Final = "/rest/v1"
PAGE: Final = 1000
"""Rows of one answer; hosted projects cut longer ones."""

_TIMEOUT: Final = httpx.Timeout(60, connect=10)
_ATTEMPTS: Final = 6
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30


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
        self._reached = reached
        self._http = httpx.Client(timeout=_TIMEOUT, event_hooks={"response": [_raise_if_passing]})
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

    def _ask(self, request: Callable[[], _T]) -> _T:
        try:
            for attempt in stamina.retry_context(
                on=self._again,
                attempts=_ATTEMPTS,
                timeout=None,
                wait_initial=_FIRST_PAUSE_SECONDS,
                wait_max=_LONGEST_PAUSE_SECONDS,
            ):
                with attempt:
                    return request()
        except APIError as error:
            raise refused(error, where=self.url) from None
        except (Again, httpx.TransportError) as error:
            raise unreachable(error, where=self.url, attempts=_ATTEMPTS) from None
        raise AssertionError

    def _again(self, error: Exception) -> bool | float:
        """Whether to repeat; a number is the pause in seconds that the server asked for."""
        if not isinstance(error, (Again, httpx.TransportError)):
            return False
        self._reached(f"failed for now: {error or type(error).__name__}")
        wait = error.wait if isinstance(error, Again) else None
        return True if wait is None else min(wait, _LONGEST_PAUSE_SECONDS)


def _raise_if_passing(response: httpx.Response) -> None:
    """Raise for answers that another attempt may not get; the client would hide their status."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        response.read()
        raise Again.of(response)
