"""A bucket of Supabase Storage, made when it is missing.

What does not live here: the connection (`supabase_client`) and reading what the server says (`supabase_errors`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from storage3.types import FileOptions

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.bucket import AlreadyStored, NotStored, Patience, checked_path
from two_tower_assets.storage.reading import digest_of, local_digest
from two_tower_assets.storage.retries import create_patiently, patiently
from two_tower_assets.storage.supabase_client import SupabaseClient
from two_tower_assets.storage.supabase_errors import ServerRefusal

T = TypeVar("T")

_PAGE: Final = 1000
_REMOVED_AT_ONCE: Final = 1000


class SupabaseBucket:
    """One bucket; files go up by multipart form, and come back as a stream."""

    def __init__(self, client: SupabaseClient, name: str, *, public: bool, patience: Patience | None = None) -> None:
        """Touch nothing yet: the bucket is looked up, and made when missing, before the first write.

        Args:
            client: the project's Storage.
            name: the bucket's id.
            public: whether anybody may read it. One that turns out otherwise is refused.
            patience: how long passing faults are waited out.
        """
        self.name, self.public = name, public
        self._client, self.patience = client, patience or Patience()
        self._files = client.api.from_(name)
        self._looked_up, self._lock = False, threading.Lock()

    def __repr__(self) -> str:
        return f"SupabaseBucket({self.url!r}, public={self.public})"

    @property
    def url(self) -> str:
        """The bucket's address below the project's."""
        return f"{self._client.url}object/{self.name}"

    def create(self, path: str, source: Path, *, max_age: int, content_type: str) -> None:
        """Store a file where there is none."""
        self._look_up()
        key = checked_path(path)
        options = _options(max_age, content_type, upsert=False)
        create_patiently(lambda: self._upload(key, source, options), lambda: self._holds(key, source), self.patience)

    def replace(self, path: str, source: Path, *, max_age: int, content_type: str) -> None:
        """Store a file whether or not there is one; the server switches when all bytes are there."""
        self._look_up()
        key = checked_path(path)
        options = _options(max_age, content_type, upsert=True)
        patiently(lambda: self._upload(key, source, options), self.patience)

    def read(self, path: str) -> Iterator[bytes]:
        """Yield a file's bytes; a private bucket's too."""
        key = checked_path(path)
        with self._client.errors(self._where(key)):
            yield from self._client.stream(self.name, key)

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the sizes of all files below a folder: every page of it and of the folders in it."""
        return dict(self._walk(prefix))

    def remove(self, paths: Sequence[str]) -> None:
        """Delete files."""
        keys = [checked_path(path) for path in paths]
        for start in range(0, len(keys), _REMOVED_AT_ONCE):
            some = keys[start : start + _REMOVED_AT_ONCE]
            self._call(some[0], lambda some=some: self._files.remove(some))  # type: ignore[misc]

    def public_url(self, path: str) -> str:
        """Return the URL at which anybody reads a public bucket's file."""
        return f"{self._client.url}object/public/{self.name}/{checked_path(path)}"

    def _where(self, key: str) -> str:
        return f"{self.url}/{key}"

    def _call(self, key: str, call: Callable[[], T]) -> T:
        def attempt() -> T:
            with self._client.errors(self._where(key)):
                return call()

        return patiently(attempt, self.patience)

    def _upload(self, key: str, source: Path, options: FileOptions) -> None:
        with self._client.errors(self._where(key)):
            self._files.upload(key, source, options)

    def _holds(self, key: str, source: Path) -> bool:
        try:
            return digest_of(self.read(key)) == local_digest(source)
        except NotStored:
            return False

    def _walk(self, folder: str) -> Iterator[tuple[str, int]]:
        for entry in self._entries(folder):
            path = f"{folder}/{entry['name']}" if folder else str(entry["name"])
            # A folder is an entry without an id.
            if entry.get("id") is None:
                yield from self._walk(path)
            else:
                yield path, int((entry.get("metadata") or {}).get("size", 0))

    def _entries(self, folder: str) -> Iterator[dict[str, Any]]:
        offset = 0
        # A short page proves nothing, since the server may cap pages lower than was asked; an empty one does.
        while page := self._page(folder, offset):
            yield from page
            offset += len(page)

    def _page(self, folder: str, offset: int) -> list[dict[str, Any]]:
        try:
            return self._call(folder, lambda: self._files.list(folder, {"limit": _PAGE, "offset": offset}))
        except NotStored:
            return []  # not even the bucket is there

    def _look_up(self) -> None:
        with self._lock:
            if self._looked_up:
                return
            found = self._call("", self._found_public)
            if found is None:
                self._make()
                found = self._call("", self._found_public)
            if found is not self.public:
                raise _wrong_kind(self)
            self._looked_up = True

    def _found_public(self) -> bool | None:
        try:
            return bool(self._client.api.get_bucket(self.name).public)
        except ServerRefusal as refusal:
            if refusal.answer.no_bucket or refusal.answer.no_file:
                return None
            raise

    def _make(self) -> None:
        try:
            self._call("", lambda: self._client.api.create_bucket(self.name, options={"public": self.public}))
        except AlreadyStored:
            return  # made by somebody else in between; looked at next


def _options(max_age: int, content_type: str, *, upsert: bool) -> FileOptions:
    # The server makes `max-age=<this>` of it.
    return {"cache-control": str(max_age), "content-type": content_type, "x-upsert": str(upsert).lower()}


def _wrong_kind(bucket: SupabaseBucket) -> StorageError:
    if bucket.public:
        return StorageError(
            "The bucket is private, but clients and functions read models from it without a key",
            where=bucket.url,
            remedy="Make it public in the Storage settings, or name another one in MODEL_ARTIFACTS_BUCKET.",
        )
    return StorageError(
        "The bucket is public, but what goes there shows people's data",
        where=bucket.url,
        remedy="Make it private in the Storage settings, or name another one in MODEL_ARTIFACTS_BUCKET.",
    )
