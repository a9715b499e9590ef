"""A local server that answers as Supabase Storage does, down to its refusals and its connections that go silent.

For trying the whole system without an account, and for the tests. It listens on the loopback interface alone, and
keeps its files in a folder. Its parts are in `local.storage`.
"""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import uvicorn
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.storage.app import StorageApp
from two_tower_assets.local.storage.connections import Address, falling_silent
from two_tower_assets.local.storage.store import Store

_LOOPBACK: Final = "127.0.0.1"
_KEEP_ALIVE_SECONDS: Final = 72
_START_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Served:
    """A request that was answered."""

    method: str
    path: str
    status: int


class StorageServer:
    """Runs in a thread between `start` and `stop`, or as a context manager."""

    def __init__(
        self,
        folder: Path,
        *,
        key: str,
        port: int = 0,
        anon_key: str | None = None,
        largest_page: int = 1000,
        goes_silent: bool = True,
    ) -> None:
        """Listen to nothing yet.

        Args:
            folder: keeps buckets and objects; made when missing, and used by one server at a time.
            key: the secret key. Any other is a bad token.
            port: 0 takes a free one.
            anon_key: a key that row-level security lets do nothing but read what is public.
            largest_page: most entries that a listing returns, however many are asked for.
            goes_silent: whether a connection whose upload was refused gets no more answers, as at the real server.
        """
        self._folder, self._key, self._port = folder, key, port
        self._anon_key, self._largest_page, self._goes_silent = anon_key, largest_page, goes_silent
        self._served: list[Served] = []
        self._silent: set[Address] = set()
        self._running: tuple[uvicorn.Server, threading.Thread, Store] | None = None

    def __repr__(self) -> str:
        return f"StorageServer({str(self._folder)!r}, port={self._port})"

    @property
    def url(self) -> str:
        """What SUPABASE_URL is set to."""
        return f"http://{_LOOPBACK}:{self._port}"

    @property
    def served(self) -> tuple[Served, ...]:
        """Every request answered since the server was made, in order."""
        return tuple(self._served)

    def start(self) -> Self:
        """Begin to serve, and return when requests are answered.

        Raises:
            LocalStackError: the port is taken, or another server uses the folder.
        """
        store = Store(self._folder)
        listener = self._listener(store)
        config = uvicorn.Config(
            self._logged(self._app(store)),
            http=falling_silent(self._silent),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=1,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="storage", daemon=True)
        thread.start()
        self._running = server, thread, store
        self._wait_for_start(server, thread)
        return self

    def stop(self) -> None:
        """Serve no more. What was stored stays in the folder."""
        if self._running is None:
            return
        server, thread, store = self._running
        server.should_exit = True
        thread.join()
        store.close()
        self._running = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listener(self, store: Store) -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((_LOOPBACK, self._port))
        except OSError as error:
            listener.close()
            store.close()
            raise LocalStackError(
                f"The storage server cannot listen: {error.strerror}",
                where=f"{_LOOPBACK}:{self._port}",
                remedy="Stop what uses the port, or choose another one.",
            ) from None
        self._port = listener.getsockname()[1]
        return listener

    def _app(self, store: Store) -> ASGIApp:
        return StorageApp(store, self._key, self._anon_key, self._largest_page, self._refused).routes()

    def _refused(self, request: Request) -> None:
        if self._goes_silent and request.client is not None:
            self._silent.add((request.client.host, request.client.port))

    def _logged(self, app: ASGIApp) -> ASGIApp:
        async def logged(scope: Scope, receive: Receive, send: Send) -> None:
            async def sent(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._served.append(_served(scope, message))
                await send(message)

            await app(scope, receive, sent)

        return logged

    def _wait_for_start(self, server: uvicorn.Server, thread: threading.Thread) -> None:
        until = time.monotonic() + _START_SECONDS
        while not server.started:
            if not thread.is_alive() or time.monotonic() > until:
                self.stop()
                raise LocalStackError(
                    "The storage server did not start", where=self.url, remedy="Look for the cause in the log above."
                )
            time.sleep(0.01)


def _served(scope: Scope, message: Any) -> Served:
    return Served(str(scope["method"]), str(scope["path"]), int(message["status"]))
