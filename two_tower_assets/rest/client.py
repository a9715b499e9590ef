"""A Supabase project through its REST API: one client whose passing failures are waited out.

Requests that fail for a while (429, 5xx, a cut or slow connection) are repeated with a growing pause, so only what
can be repeated without harm may be asked. What does not live here: what is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Self, TypeVar

import httpx
import stamina
from postgrest import APIError, SyncPostgrestClient

from two_tower_assets.environment import sendable
from two_tower_assets.errors import TwoTowerError
from two_tower_assets.rest.refusals import Again, refused, unreachable
from two_tower_assets.steps import Reached, unheard

_T = TypeVar("_T")

REST_PATH: Final = "/rest/v1"
PAGE: Final = 1000
"""Rows of one answer; hosted projects cut longer ones."""
TIMEOUT: Final = httpx.Timeout(60, connect=10)
ATTEMPTS: Final = 6

_FIRST_PAUSE_SECONDS: Final = 0.5
_LONGEST_PAUSE_SECONDS: Final = 30


class RestClient:
    """One project. Also a context manager that closes its connections.

    Args:
        url: of the project, without a slash at its end.
        key: of the service role; never shown.
        reached: told of every request that has to be repeated.
        attempts: how often a request is made before it is given up.

    Raises:
        EnvironmentVariableError: the key is none that can be sent.
    """

    root = REST_PATH
    """Where the API is below the project's URL."""

    def __init__(self, url: str, key: str, *, reached: Reached = unheard, attempts: int = ATTEMPTS) -> None:
        self.url = url
        self._attempts = attempts
        self._reached = reached
        headers = {"apikey": sendable(key), "Authorization": f"Bearer {key}"}
        self.http = httpx.Client(timeout=TIMEOUT, headers=headers, event_hooks={"response": [_raise_if_passing]})
        self.api = SyncPostgrestClient(
            self.at(""),
            headers=headers,
            http_client=self.http,
            # One place decides what is repeated.
            retry_enabled=False,
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def at(self, path: str) -> str:
        """Return the URL of a path below the API's root, for requests through `http`."""
        return f"{self.url}{self.root}{path}"

    def ask(
        self, request: Callable[[], _T], *, refusal: Callable[[APIError, str], TwoTowerError] | None = None
    ) -> _T:
        """Return what a request gives, repeated while it fails for a while.

        Args:
            request: asks through `api`; made anew for each attempt.
            refusal: the error for people of a final answer and the project's URL; `refusals.refused` by default.

        Raises:
            RestError: the project cannot be reached, refuses the key, or lacks what is asked for.
        """
        try:
            for attempt in stamina.retry_context(
                on=self._again,
                attempts=self._attempts,
                timeout=None,
                wait_initial=_FIRST_PAUSE_SECONDS,
                wait_max=_LONGEST_PAUSE_SECONDS,
            ):
                with attempt:
                    return request()
        except APIError as error:
            raise (refusal or refused)(error, self.url) from None
        except (Again, httpx.TransportError) as error:
            raise unreachable(error, where=self.url, attempts=self._attempts) from None
        raise AssertionError

    def rpc(self, name: str, parameters: dict[str, Any]) -> Any:
        """Return what a function of the database gives, as JSON; errors are those of `ask`."""
        return self.ask(lambda: self.api.rpc(name, parameters).execute().data)

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
