"""The one habit of the real server that no status code tells: after a refused upload its connection goes silent.

What a client sends on that connection afterwards gets no answer, until the client gives up.
"""

from __future__ import annotations

from uvicorn.protocols.http.h11_impl import H11Protocol

Address = tuple[str, int]


def falling_silent(silent: set[Address]) -> type[H11Protocol]:
    """Return a protocol that answers nothing more to the clients in `silent`.

    Args:
        silent: addresses of connections, added by the application and taken out when they close.
    """

    class SilentAfterRefusal(H11Protocol):
        def data_received(self, data: bytes) -> None:
            if self.client not in silent:
                super().data_received(data)
                return
            if self.timeout_keep_alive_task is not None:
                self.timeout_keep_alive_task.cancel()

        def connection_lost(self, exc: Exception | None) -> None:
            if self.client is not None:
                silent.discard(self.client)
            super().connection_lost(exc)

    return SilentAfterRefusal
