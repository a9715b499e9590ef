"""The routes of Supabase Storage that publishing and clients use, below `/storage/v1`."""

from __future__ import annotations

import hmac
import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route

from two_tower_assets.local.storage import refusals
from two_tower_assets.local.storage.listing import describe, entries
from two_tower_assets.local.storage.refusals import Refused, bad_key
from two_tower_assets.local.storage.store import Store, StoredBucket, StoredObject
from two_tower_assets.local.storage.uploads import receive

_KEY: Final = re.compile(r"(\w|/|!|-|\.|\*|'|\(|\)| |&|\$|@|=|;|:|\+|,|\?)+", re.ASCII)

Endpoint = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True)
class StorageApp:
    """What every route needs."""

    store: Store
    key: str
    anon_key: str | None
    largest_page: int
    upload_refused: Callable[[Request], None]
    """Told of the request whose upload was refused."""

    def routes(self) -> Starlette:
        """Return the application."""
        routes = [
            Route("/bucket", self._guarded(self._create_bucket), methods=["POST"]),
            Route("/bucket", self._guarded(self._list_buckets), methods=["GET"]),
            Route("/bucket/{bucket}", self._guarded(self._get_bucket), methods=["GET"]),
            Route("/object/list/{bucket}", self._guarded(self._list), methods=["POST"]),
            Route("/object/copy", self._guarded(self._copy), methods=["POST"]),
            Route("/object/move", self._guarded(self._move), methods=["POST"]),
            Route("/object/info/{bucket}/{name:path}", self._guarded(self._info), methods=["GET"]),
            Route("/object/public/{bucket}/{name:path}", _answering(self._public), methods=["GET"]),
            Route("/object/authenticated/{bucket}/{name:path}", self._guarded(self._read), methods=["GET"]),
            Route("/object/{bucket}/{name:path}", self._guarded(self._read), methods=["GET"]),
            Route("/object/{bucket}/{name:path}", _answering(self._upload), methods=["POST", "PUT"]),
            Route("/object/{bucket}", self._guarded(self._remove), methods=["DELETE"]),
        ]
        return Starlette(routes=[Mount("/storage/v1", routes=routes)])

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        @wraps(endpoint)
        async def checked(request: Request) -> Response:
            self._require_token(request)
            return await endpoint(request)

        return _answering(checked)

    def _require_token(self, request: Request) -> None:
        header = request.headers.get("authorization")
        if header is None:
            raise Refused(refusals.NO_TOKEN)
        token = header.removeprefix("Bearer ").encode()
        if self.anon_key is not None and hmac.compare_digest(token, self.anon_key.encode()):
            raise Refused(refusals.ROW_LEVEL)
        if not hmac.compare_digest(token, self.key.encode()):
            raise Refused(refusals.BAD_TOKEN)

    async def _create_bucket(self, request: Request) -> Response:
        body = await request.json()
        name = str(body.get("id") or body.get("name"))
        limit = body.get("file_size_limit")
        await run_in_threadpool(
            self.store.create_bucket,
            name,
            public=bool(body.get("public")),
            file_size_limit=None if limit is None else int(limit),
        )
        return JSONResponse({"name": name})

    async def _list_buckets(self, request: Request) -> Response:
        del request
        return JSONResponse([_bucket_json(bucket) for bucket in await run_in_threadpool(self.store.buckets)])

    async def _get_bucket(self, request: Request) -> Response:
        return JSONResponse(_bucket_json(await self._bucket(request)))

    async def _upload(self, request: Request) -> Response:
        body = request.stream()
        try:
            self._require_token(request)
            bucket, name = await self._bucket(request), _checked_name(request.path_params["name"])
            upsert = request.method == "PUT" or request.headers.get("x-upsert") == "true"
            stored = await receive(request.headers, body, self.store, bucket, name, upsert=upsert)
        except Refused:
            async for _ in body:
                pass  # read to its end, so that the answer arrives
            self.upload_refused(request)
            raise
        return JSONResponse({"Id": stored.id, "Key": f"{stored.bucket}/{stored.name}"})

    async def _public(self, request: Request) -> Response:
        if not (await self._bucket(request)).public:
            raise Refused(refusals.NO_BUCKET)
        return await self._read(request)

    async def _read(self, request: Request) -> Response:
        stored = await self._object(request)
        headers = {"etag": stored.etag, "cache-control": stored.cache_control}
        if request.headers.get("if-none-match") == stored.etag:
            return Response(status_code=304, headers=headers)
        return FileResponse(self.store.blob(stored), media_type=stored.content_type, headers=headers)

    async def _info(self, request: Request) -> Response:
        return JSONResponse(describe(await self._object(request)))

    async def _list(self, request: Request) -> Response:
        bucket, query = await self._bucket(request), await request.json()
        return JSONResponse(await run_in_threadpool(entries, self.store, bucket.id, query, self.largest_page))

    async def _remove(self, request: Request) -> Response:
        bucket, body = await self._bucket(request), await request.json()
        removed = await run_in_threadpool(self.store.remove, bucket.id, [str(name) for name in body["prefixes"]])
        return JSONResponse([describe(stored) for stored in removed])

    async def _copy(self, request: Request) -> Response:
        body = await request.json()
        upsert = request.headers.get("x-upsert") == "true"
        copied = await run_in_threadpool(self._copied, body, upsert=upsert)
        return JSONResponse({"Id": copied.id, "Key": f"{copied.bucket}/{copied.name}"})

    async def _move(self, request: Request) -> Response:
        body = await request.json()
        await run_in_threadpool(self._copied, body, upsert=False)
        await run_in_threadpool(self.store.remove, str(body["bucketId"]), [str(body["sourceKey"])])
        return JSONResponse({"message": "Successfully moved"})

    def _copied(self, body: dict[str, Any], *, upsert: bool) -> StoredObject:
        source = self.store.get(self.store.bucket(str(body["bucketId"])).id, str(body["sourceKey"]))
        target = self.store.bucket(str(body.get("destinationBucket") or source.bucket)).id
        blob = self.store.new_blob()
        shutil.copyfile(self.store.blob(source), blob)
        name = _checked_name(str(body["destinationKey"]))
        try:
            return self.store.put(replace(source, bucket=target, name=name, blob=blob.name), upsert=upsert)
        except Refused:
            blob.unlink()
            raise

    async def _bucket(self, request: Request) -> StoredBucket:
        return await run_in_threadpool(self.store.bucket, request.path_params["bucket"])

    async def _object(self, request: Request) -> StoredObject:
        bucket = await self._bucket(request)
        return await run_in_threadpool(self.store.get, bucket.id, request.path_params["name"])


def _answering(endpoint: Endpoint) -> Endpoint:
    @wraps(endpoint)
    async def answered(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as refused:
            return refused.refusal.answer()
        except ClientDisconnect:
            return Response(status_code=499)  # to nobody: for the log

    return answered


def _checked_name(name: str) -> str:
    if not _KEY.fullmatch(name):
        raise Refused(bad_key(name))
    return name


def _bucket_json(bucket: StoredBucket) -> dict[str, Any]:
    return {
        "id": bucket.id,
        "name": bucket.id,
        "owner": "",
        "public": bucket.public,
        "file_size_limit": bucket.file_size_limit,
        "allowed_mime_types": None,
        "created_at": bucket.created_at,
        "updated_at": bucket.created_at,
    }
