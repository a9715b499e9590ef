"""Is the live release there for its readers: files, `current/`, vectors? Names and sizes, not every byte.

What does not live here: reading all of it again, which `two-tower verify` does (`publishing.inspection`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from two_tower_assets.contract import Files
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.doctor.finding import Finding, ok, problem, unused
from two_tower_assets.publishing.current import CURRENT
from two_tower_assets.publishing.files import StoredManifest, read_manifest
from two_tower_assets.publishing.registry import Release, read_live, read_release
from two_tower_assets.publishing.target import Target
from two_tower_assets.publishing.writer import refusals
from two_tower_assets.sources.requirements import database_errors
from two_tower_assets.storage.bucket import NotStored
from two_tower_assets.storage.buckets import Buckets
from two_tower_assets.storage.reading import stored_bytes

_AGAIN: Final = "Publish it again (`two-tower publish`), or go back (`two-tower rollback`)."


def look_at_release(target: Target) -> Iterator[Finding]:
    """Look at what is live, in the database and in storage."""
    with connect(target.url, autocommit=True) as connection, database_errors("What is released could not be read"):
        live = read_live(connection)
        if live is None:
            yield unused("nothing is live yet (`two-tower run` makes a release)")
            return
        release = read_release(connection, live.model_version)
        assert release is not None
        with refusals(target.url):
            connection.execute(query("release_complete"), {"model_version": release.model_version})
    lacking = _lacking(target.buckets, release)
    for what in lacking:
        yield problem(what, where=target.buckets.public.url, remedy=_AGAIN)
    if not lacking:
        yield ok(f"{release.model_version} is live since {live.activated_at:%Y-%m-%d %H:%M}, and current/ follows")


def _lacking(buckets: Buckets, release: Release) -> tuple[str, ...]:
    version = release.model_version
    try:
        stored = read_manifest(buckets, version, sha256=release.manifest_hash)
    except NotStored:
        return (f"the files of the live version {version} are not in storage",)
    return (*_files_lacking(buckets, version, stored), *_not_followed(buckets, version, stored))


def _files_lacking(buckets: Buckets, folder: str, stored: StoredManifest) -> Iterator[str]:
    prefix = f"{buckets.prefix}/{folder}"
    sizes = buckets.public.sizes(prefix)
    for file in stored.files:
        if sizes.get(f"{prefix}/{file.name}") != file.size:
            yield f"{folder}/{file.name} is missing, or of another size"


def _not_followed(buckets: Buckets, version: str, stored: StoredManifest) -> Iterator[str]:
    try:
        content = stored_bytes(buckets.public, f"{buckets.prefix}/{CURRENT}/{Files.MANIFEST}")
    except NotStored:
        content = b""
    if content != stored.content:
        yield f"current/ does not follow: its manifest is not that of {version}"
    else:
        yield from _files_lacking(buckets, CURRENT, stored)
