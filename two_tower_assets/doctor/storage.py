"""Can the two buckets be reached, and are they what publishing needs: public and private, and large enough?"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from two_tower_assets.doctor.finding import Finding, ok, problem, unused
from two_tower_assets.environment import Project
from two_tower_assets.storage.bucket import Bucket, NotStored
from two_tower_assets.storage.buckets import Buckets
from two_tower_assets.storage.folder import FolderBucket
from two_tower_assets.storage.supabase_bucket import SupabaseBucket
from two_tower_assets.storage.supabase_client import SupabaseClient

MIB: Final = 1 << 20
_SETTINGS: Final = "the project's Storage settings"


def look_at_buckets(buckets: Buckets, project: Project | None, largest: int) -> Iterator[Finding]:
    """Look at both buckets, whatever kind they are.

    Args:
        buckets: the two.
        project: where they are, when they are in a project's Storage.
        largest: bytes of the largest file that publishing would store.
    """
    for bucket, public in ((buckets.public, True), (buckets.private, False)):
        if isinstance(bucket, SupabaseBucket):
            assert project is not None
            yield from _in_project(SupabaseClient(project.url, project.key), bucket, largest, public=public)
        elif isinstance(bucket, FolderBucket):
            yield _folder(bucket.root)
        else:
            yield _elsewhere(bucket, f"{buckets.prefix}/current")


def _in_project(client: SupabaseClient, bucket: SupabaseBucket, largest: int, *, public: bool) -> Iterator[Finding]:
    kind = "public" if public else "private"
    try:
        with client.errors(bucket.url):
            found: Any = client.api.get_bucket(bucket.name)
    except NotStored:
        yield problem(
            f"there is no bucket {bucket.name}; publishing makes it {kind}",
            where=bucket.url,
            remedy=f"Make a {kind} bucket {bucket.name} in {_SETTINGS}.",
            fix=_making(client, bucket, public=public),
        )
        return
    yield from _judge(found, bucket, largest, public=public)


def _judge(found: Any, bucket: SupabaseBucket, largest: int, *, public: bool) -> Iterator[Finding]:
    kind, limit = "public" if public else "private", found.file_size_limit
    if bool(found.public) is not public:
        why = "clients and functions read models from it" if public else "what goes there shows people's data"
        remedy = f"Make bucket {bucket.name} {kind} in {_SETTINGS}."
        yield problem(f"the bucket is not {kind}, but {why}", where=bucket.url, remedy=remedy)
    elif limit is not None and limit < largest:
        yield problem(
            f"files of {limit / MIB:.1f} MiB at most, and the largest is {largest / MIB:.1f}",
            where=bucket.url,
            remedy=f"Raise the bucket's file size limit in {_SETTINGS}.",
        )
    else:
        said = "no limit of its own" if limit is None else f"files of at most {limit / MIB:.0f} MiB"
        yield ok(f"a {kind} bucket, {said}", where=bucket.url)


def _making(client: SupabaseClient, bucket: SupabaseBucket, *, public: bool) -> Callable[[], str]:
    def make() -> str:
        with client.errors(bucket.url):
            client.api.create_bucket(bucket.name, options={"public": public})
        return f"made the {'public' if public else 'private'} bucket {bucket.name}"

    return make


def _folder(root: Path) -> Finding:
    place = next(path for path in (root, *root.parents) if path.exists())
    if not os.access(place, os.W_OK):
        return problem("the folder cannot be written", where=str(root), remedy=f"Let this user write to {place}.")
    return ok("a folder", where=str(root)) if root.exists() else unused("nothing was published yet", where=str(root))


def _elsewhere(bucket: Bucket, prefix: str) -> Finding:
    return ok(f"{len(bucket.sizes(prefix))} files in {prefix}", where=bucket.url)
