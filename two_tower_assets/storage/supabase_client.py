"""The HTTP side of Supabase Storage: one client whose every failure is an error for people without a secret in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from uuid import uuid4

import httpx
from storage3 import SyncStorageClient

from two_tower_assets.environment import sendable
from two_tower_assets.storage.bucket import BLOCK_BYTES
from two_tower_assets.storage.supabase_errors import (
    Answer,
    ServerRefusal,
    for_people,
    read_answer,
    unreachable,
    unreadable,
)

TIMEOUT_SECONDS: Final = 20.0
_CONNECT_SECONDS: Final = 10.0


class SupabaseClient:
    """A project's Storage. Safe to use from several threads.

    Connections are not used again: after a refused upload the server may leave the next request on the same
    connection without an answer until the timeout.
    """

    def __init__(self, url: str, key: str, *, timeout: float = TIMEOUT_SECONDS) -> None:
        """Connect to nothing yet.

        Args:
            url: the project's URL, as in SUPABASE_URL.
            key: a secret or service-role key.
            timeout: seconds without a byte after which a call counts as failed.
        """
        self._key = sendable(key)
        self.url = f"{url.rstrip('/')}/storage/v1/"
        self._headers = {"apikey": self._key, "Authorization": f"Bearer {self._key}"}
        self._http = httpx.Client(
            http2=False,
            follow_redirects=True,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            timeout=httpx.Timeout(timeout, connect=min(timeout, _CONNECT_SECONDS)),
            event_hooks={"response": [self._refuse]},
        )
        self.api = SyncStorageClient(self.url, self._headers, http_client=self._http)

    def __repr__(self) -> str:
        return f"SupabaseClient({self.url!r})"

    @contextmanager
    def errors(self, where: str) -> Iterator[None]:
        """Turn whatever a call raises into an error for people.

        Raises:
            StorageError: or one of its kinds.
        """
        try:
            yield
        except ServerRefusal as refusal:
            raise for_people(refusal.answer, where) from None
        except httpx.HTTPError as error:
            raise unreachable(error, where) from None
        except (ValueError, KeyError):
            # raised by the published client when it reads an answer
            raise unreadable(where) from None

    def stream(self, bucket: str, path: str) -> Iterator[bytes]:
        """Yield a stored file's bytes as they arrive, which the published client can only hand out whole.

        Each request is unlike any other, so that no cache in between answers it with an older file.
        """
        request = self._http.stream(
            "GET",
            f"{self.url}object/{bucket}/{path}",
            headers={**self._headers, "cache-control": "no-cache"},
            params={"cacheNonce": uuid4().hex},
        )
        with request as response:
            yield from response.iter_bytes(BLOCK_BYTES)

    def _refuse(self, response: httpx.Response) -> None:
        if response.is_error:
            response.read()
            answer = read_answer(response)
            message = answer.message.replace(self._key, "…")
            raise ServerRefusal(Answer(answer.status, answer.words, message, answer.retry_after))
