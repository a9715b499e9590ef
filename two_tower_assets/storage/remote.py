"""A folder of an S3 bucket, or of anything that speaks S3, through fsspec. Needs the extra `s3`.

What does not live here: choosing the kind of storage for a URL (`address`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from fsspec.asyn import sync
from s3fs import S3FileSystem

from two_tower_assets.storage.bucket import BLOCK_BYTES, NotStored, Patience, checked_path
from two_tower_assets.storage.reading import digest_of, local_digest
from two_tower_assets.storage.remote_errors import FAULTS, for_people
from two_tower_assets.storage.retries import create_patiently, patiently

T = TypeVar("T")

# One attempt each: waiting out faults is ours to do, and two layers of it would multiply.
_ONE_ATTEMPT: Final = {
    "retries": {"total_max_attempts": 1, "mode": "standard"},
    "connect_timeout": 10,
    "read_timeout": 20,
}


class RemoteBucket:
    """Files below `s3://bucket/folder`. Endpoint and credentials are those of the environment, as for any S3 tool."""

    def __init__(self, url: str, *, patience: Patience | None = None) -> None:
        """Connect to nothing yet."""
        self.url = url.rstrip("/")
        self._root = self.url.split("://", 1)[1]
        self.patience = patience or Patience()
        self._files = S3FileSystem(config_kwargs=_ONE_ATTEMPT, use_listings_cache=False, skip_instance_cache=True)

    def __repr__(self) -> str:
        return f"RemoteBucket({self.url!r})"

    def create(self, path: str, source: Path, *, max_age: int, content_type: str) -> None:
        """Store a file where there is none, by a conditional write (`If-None-Match: *`)."""
        key = self._key(path)
        create_patiently(
            lambda: self._put(key, source, max_age, content_type, mode="create"),
            lambda: self._holds(path, source),
            self.patience,
        )

    def replace(self, path: str, source: Path, *, max_age: int, content_type: str) -> None:
        """Store a file whether or not there is one."""
        key = self._key(path)
        patiently(lambda: self._put(key, source, max_age, content_type, mode="overwrite"), self.patience)

    def read(self, path: str) -> Iterator[bytes]:
        """Yield a file's bytes as they arrive, by one request, so that they are of one version of it."""
        key = self._key(path)
        bucket, name, _ = self._files.split_path(key)
        with _errors(key):
            body = self._files.call_s3("get_object", Bucket=bucket, Key=name)["Body"]
            try:
                while block := sync(self._files.loop, body.read, BLOCK_BYTES):
                    yield block
            finally:
                body.close()

    def sizes(self, prefix: str) -> dict[str, int]:
        """Return the sizes of all files below a folder."""
        top = f"{self._root}/{prefix}".rstrip("/")
        try:
            found = self._call(top, lambda: self._files.find(top, detail=True))
        except NotStored:
            return {}
        start = len(self._root) + 1
        return {key[start:]: int(facts["size"]) for key, facts in found.items()}

    def remove(self, paths: Sequence[str]) -> None:
        """Delete files."""
        for key in map(self._key, paths):
            self._call(key, lambda key=key: self._files.rm_file(key))  # type: ignore[misc]

    def public_url(self, path: str) -> str:
        """Return the path-style URL at the endpoint; whether anybody may read there is the S3 bucket's policy."""
        key = self._key(path)
        with _errors(key):
            return f"{self._files.s3.meta.endpoint_url.rstrip('/')}/{key}"

    def _key(self, path: str) -> str:
        return f"{self._root}/{checked_path(path)}"

    def _put(self, key: str, source: Path, max_age: int, content_type: str, *, mode: str) -> None:
        with _errors(key):
            self._files.put_file(
                str(source), key, mode=mode, ContentType=content_type, CacheControl=f"max-age={max_age}"
            )

    def _holds(self, path: str, source: Path) -> bool:
        try:
            return digest_of(self.read(path)) == local_digest(source)
        except NotStored:
            return False

    def _call(self, key: str, call: Callable[[], T]) -> T:
        def attempt() -> T:
            with _errors(key):
                return call()

        return patiently(attempt, self.patience)


@contextmanager
def _errors(key: str) -> Iterator[None]:
    try:
        yield
    except FAULTS as error:
        raise for_people(error, f"s3://{key}") from None
