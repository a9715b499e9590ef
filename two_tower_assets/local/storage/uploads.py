"""Receiving an object's bytes: from a form or as the plain body, onto the disk, before anybody can read them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator
from io import BufferedWriter
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from two_tower_assets.local.storage.multipart import FormReader
from two_tower_assets.local.storage.refusals import TOO_LARGE, Refused
from two_tower_assets.local.storage.store import Store, StoredBucket, StoredObject, new_object

_WRITTEN_AT_ONCE: Final = 1 << 20
_DEFAULT_AGE: Final = "3600"


class _Incoming:
    """Bytes on their way to a file, counted and hashed. More than the limit are counted and not kept."""

    def __init__(self, file: BufferedWriter, limit: int | None) -> None:
        self.size = 0
        self._file, self._limit = file, limit
        self._hash = hashlib.md5(usedforsecurity=False)
        self._held: list[bytes] = []
        self._held_bytes = 0

    @property
    def too_large(self) -> bool:
        return self._limit is not None and self.size > self._limit

    @property
    def etag(self) -> str:
        return f'"{self._hash.hexdigest()}"'

    async def take(self, piece: bytes) -> None:
        self.size += len(piece)
        self._held.append(piece)
        self._held_bytes += len(piece)
        if self._held_bytes >= _WRITTEN_AT_ONCE:
            await self._flush()

    async def finish(self) -> None:
        await self._flush()
        await run_in_threadpool(self._sync)

    async def _flush(self) -> None:
        block, self._held, self._held_bytes = b"".join(self._held), [], 0
        if not self.too_large:
            await run_in_threadpool(self._write, block)

    def _write(self, block: bytes) -> None:
        self._hash.update(block)
        self._file.write(block)

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


Body = AsyncIterator[bytes]


async def receive(
    headers: Headers, body: Body, store: Store, bucket: StoredBucket, name: str, *, upsert: bool
) -> StoredObject:
    """Take in a request's whole body and make an object of it.

    Raises:
        Refused: it exists, or is too large.
    """
    blob = store.new_blob()
    try:
        incoming = await _received(headers, body, bucket, name, blob)
        return await run_in_threadpool(store.put, incoming, upsert=upsert)
    except BaseException:
        blob.unlink(missing_ok=True)
        raise


async def _received(headers: Headers, body: Body, bucket: StoredBucket, name: str, blob: Path) -> StoredObject:
    content_type = headers.get("content-type", "application/octet-stream")
    cache_control = headers.get("cache-control", f"max-age={_DEFAULT_AGE}")
    with blob.open("wb") as file:
        incoming = _Incoming(file, bucket.file_size_limit)
        if content_type.startswith("multipart/form-data"):
            fields = await FormReader(body, content_type).read(incoming.take)
            content_type = fields.get("content-type", content_type)
            cache_control = f"max-age={fields.get('cacheControl', _DEFAULT_AGE)}"
        else:
            async for piece in body:
                await incoming.take(piece)
        await incoming.finish()
    if incoming.too_large:
        raise Refused(TOO_LARGE)
    return new_object(
        bucket.id,
        name,
        blob,
        size=incoming.size,
        etag=incoming.etag,
        content_type=content_type,
        cache_control=cache_control,
    )
