"""Reading a multipart form as it arrives: small fields into memory, the one file piece by piece."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from email.message import Message
from typing import Final

from two_tower_assets.local.storage.refusals import Refused, bad_request

_LARGEST_FIELD: Final = 1 << 20

Sink = Callable[[bytes], Awaitable[None]]


class FormReader:
    """A form from a stream of bytes."""

    def __init__(self, body: AsyncIterator[bytes], content_type: str) -> None:
        """Begin to read.

        Args:
            body: the request's body.
            content_type: the request's header, with the boundary.
        """
        boundary = _parameter(content_type, "boundary", "content-type")
        if not boundary:
            raise Refused(bad_request("Multipart: Boundary not found"))
        self._end = b"\r\n--" + boundary.encode()
        self._body = body
        # The first boundary has no line before it; with one all are alike.
        self._held = b"\r\n"

    async def read(self, file: Sink) -> dict[str, str]:
        """Hand the file's bytes to `file` and return the fields, with its MIME type as `content-type` among them."""
        fields: dict[str, str] = {}
        await self._until_end(_nowhere)
        while not await self._closed():
            headers = await self._headers()
            disposition = headers.get("content-disposition", "")
            if _parameter(disposition, "filename", "content-disposition"):
                fields["content-type"] = headers.get("content-type", "application/octet-stream")
                await self._until_end(file)
            else:
                name = _parameter(disposition, "name", "content-disposition")
                fields[name] = await self._field()
        async for _ in self._body:
            pass  # what may follow the form
        return fields

    async def _closed(self) -> bool:
        await self._hold(2)
        mark, self._held = self._held[:2], self._held[2:]
        return mark == b"--"

    async def _headers(self) -> dict[str, str]:
        while b"\r\n\r\n" not in self._held:
            await self._more()
        head, self._held = self._held.split(b"\r\n\r\n", 1)
        lines = (line.split(":", 1) for line in head.decode("utf-8", "replace").split("\r\n") if ":" in line)
        return {name.strip().lower(): value.strip() for name, value in lines}

    async def _field(self) -> str:
        pieces: list[bytes] = []

        async def keep(piece: bytes) -> None:
            pieces.append(piece)
            if sum(map(len, pieces)) > _LARGEST_FIELD:
                raise Refused(bad_request("Multipart: field too large"))

        await self._until_end(keep)
        return b"".join(pieces).decode("utf-8", "replace")

    async def _until_end(self, sink: Sink) -> None:
        """Hand over everything before the next boundary, and drop the boundary."""
        while (at := self._held.find(self._end)) < 0:
            # The last bytes may be the beginning of a boundary.
            safe = max(0, len(self._held) - len(self._end))
            if safe:
                await sink(self._held[:safe])
                self._held = self._held[safe:]
            await self._more()
        if at:
            await sink(self._held[:at])
        self._held = self._held[at + len(self._end) :]

    async def _hold(self, count: int) -> None:
        while len(self._held) < count:
            await self._more()

    async def _more(self) -> None:
        piece = await anext(self._body, None)
        if piece is None:
            raise Refused(bad_request("Multipart: Unexpected end of form"))
        self._held += piece


async def _nowhere(piece: bytes) -> None:
    del piece


def _parameter(header: str, name: str, kind: str) -> str:
    message = Message()
    message[kind] = header
    value = message.get_param(name, "", kind)
    return value if isinstance(value, str) else ""
