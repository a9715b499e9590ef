"""Listing a bucket as the real server does: one folder at a time, folders as entries without an id, by pages."""

from __future__ import annotations

from typing import Any

from two_tower_assets.local.storage.store import Store, StoredObject


def entries(store: Store, bucket: str, query: dict[str, Any], largest_page: int) -> list[dict[str, Any]]:
    """Return one page.

    Args:
        store: where the objects are.
        bucket: its id.
        query: the request's body: `prefix` (a folder), `limit` (100), `offset` (0), `sortBy.order`, `search`.
        largest_page: cap of the limit.
    """
    folder = str(query.get("prefix") or "").strip("/")
    below = f"{folder}/" if folder else ""
    start = below + str(query.get("search") or "")
    found = {stored.name[len(below) :]: stored for stored in store.below(bucket, start)}
    folders = sorted({name.split("/", 1)[0] for name in found if "/" in name})
    files = [name for name in found if "/" not in name]
    if (query.get("sortBy") or {}).get("order") == "desc":
        folders, files = folders[::-1], files[::-1]
    offset, limit = int(query.get("offset") or 0), min(int(query.get("limit") or 100), largest_page)
    rows = [*map(_folder, folders), *(_file(name, found[name]) for name in files)]
    return rows[offset : offset + limit]


def describe(stored: StoredObject) -> dict[str, Any]:
    """Return an object as `object/info` shows it."""
    return {
        "id": stored.id,
        "name": stored.name,
        "bucket_id": stored.bucket,
        "size": stored.size,
        "content_type": stored.content_type,
        "cache_control": stored.cache_control,
        "etag": stored.etag,
        "created_at": stored.updated_at,
        "last_modified": stored.updated_at,
    }


def _folder(name: str) -> dict[str, Any]:
    return dict.fromkeys(("id", "updated_at", "created_at", "last_accessed_at", "metadata")) | {"name": name}


def _file(name: str, stored: StoredObject) -> dict[str, Any]:
    metadata = {
        "eTag": stored.etag,
        "size": stored.size,
        "mimetype": stored.content_type,
        "cacheControl": stored.cache_control,
        "lastModified": stored.updated_at,
        "contentLength": stored.size,
        "httpStatusCode": 200,
    }
    times = dict.fromkeys(("updated_at", "created_at", "last_accessed_at"), stored.updated_at)
    return {"name": name, "id": stored.id, **times, "metadata": metadata}
