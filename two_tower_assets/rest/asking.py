"""Requests to a project's REST API that are repeated while they fail for now: 429, 5xx, a cut or slow connection.

Only for requests that can be repeated without harm. What does not live here: the requests themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import httpx
import stamina
from postgrest import APIError

from two_tower_assets.rest.refusals import Again, refused, unreachable
from two_tower_assets.steps import Reached, unheard

_T = TypeVar("_T")

REST_PATH: Final = "/rest/v1"
TIMEOUT: Final = httpx.Timeout(60, connect=10)

_ATTEMPTS: Final = 6
_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30


class Asking:
    """How one project is asked.

    Args:
        where: the project's URL, for messages.
        reached: told of every request that has to be repeated.
    """

    def __init__(self, where: str, *, reached: Reached = unheard) -> None:
        self._where = where
        self._reached = reached

    def __call__(self, request: Callable[[], _T]) -> _T:
        """Return what `request` returns, once it does.

        Raises:
            RestError: the project refuses, or kept failing.
            PublishingError: another version is live there by now.
        """
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
            raise refused(error, where=self._where) from None
        except (Again, httpx.TransportError) as error:
            raise unreachable(error, where=self._where, attempts=_ATTEMPTS) from None
        raise AssertionError

    def _again(self, error: Exception) -> bool | float:
        """Whether to repeat; a number is the pause in seconds that the server asked for."""
        if not isinstance(error, (Again, httpx.TransportError)):
            return False
        self._reached(f"failed for now: {error or type(error).__name__}")
        wait = error.wait if isinstance(error, Again) else None
        return True if wait is None else min(wait, _LONGEST_PAUSE_SECONDS)


def raise_if_passing(response: httpx.Response) -> None:
    """Raise for answers that another attempt may not get; the client would hide their status."""
    if response.status_code == httpx.codes.TOO_MANY_REQUESTS or response.is_server_error:
        response.read()
        raise Again.of(response)
