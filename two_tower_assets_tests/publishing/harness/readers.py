"""What a client sees, read as clients read it; every reading raises when it is not one whole release."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import psycopg

from two_tower_assets.artifacts.embeddings import read_blocks
from two_tower_assets.contract import Files
from two_tower_assets.publishing.target import Target
from two_tower_assets_tests.publishing.releasing import VIDEOS, prepared, user_probes

Connection = psycopg.Connection[Any]


class TornReadingError(Exception):
    """A reader saw parts of two releases, or half of one."""


def require(condition: object, what: str) -> None:
    """Raise when a reading is torn."""
    if not condition:
        raise TornReadingError(what)


class Expected:
    """What each version's readers must see, computed from its folder."""

    def __init__(self, folder: Path) -> None:
        blocks = list(read_blocks(folder / Files.VIDEO_EMBEDDINGS))
        self.version = folder.name
        self.ids = np.concatenate([ids for ids, _ in blocks])
        self.vectors = np.concatenate([vectors for _, vectors in blocks])
        ((self.users, self.user_vectors),) = prepared(folder).blocks()
        self.query = user_probes(1).vectors_QD[0]
        similarity = np.sort(-(self.vectors @ self.query))
        self.nearest = -similarity[:50]


def live_version(connection: Connection) -> str:
    """What the registry says is live."""
    row = connection.execute("select model_version from public.get_live_release()").fetchone()
    require(row, "nothing is live")
    assert row is not None
    return str(row[0])


def read_view(connection: Connection, expected: dict[str, Expected]) -> str:
    """Every video vector through the view: one version's, all of them, bit by bit."""
    rows = connection.execute(
        "select model_version, video_id::text, embedding::real[] from public.video_embeddings order by video_id"
    ).fetchall()
    versions = {row[0] for row in rows}
    require(len(versions) == 1, f"the view shows {versions}")
    seen = expected[versions.pop()]
    require([row[1] for row in rows] == seen.ids.tolist(), "the view lacks videos")
    require((np.array([row[2] for row in rows], np.float32) == seen.vectors).all(), "the view shows other vectors")
    return seen.version


def read_versions(connection: Connection) -> str:
    """As `read_view`, but only the versions and the number of rows."""
    rows = connection.execute("select model_version, count(*) from public.video_embeddings group by 1").fetchall()
    require(len(rows) == 1 and rows[0][1] == VIDEOS, f"the view shows {rows}")
    return str(rows[0][0])


def read_users(connection: Connection, expected: dict[str, Expected]) -> str:
    """Every user vector through the view: one version's, bit by bit."""
    rows = connection.execute(
        "select model_version, user_id::text, embedding::real[] from public.user_embeddings order by user_id"
    ).fetchall()
    versions = {row[0] for row in rows}
    require(len(versions) == 1, f"users show {versions}")
    seen = expected[versions.pop()]
    require([row[1] for row in rows] == sorted(seen.users.tolist()), "users are missing")
    order = np.argsort(seen.users)
    require(
        (np.array([row[2] for row in rows], np.float32) == seen.user_vectors[order]).all(), "users have other vectors"
    )
    return seen.version


def read_search(connection: Connection, expected: dict[str, Expected]) -> str:
    """The 50 nearest videos: the similarities are exactly those of one version's exact search."""
    query = next(iter(expected.values())).query
    rows = connection.execute(
        "select similarity from public.recommend_videos_ann(%s, 50)", (str(query.tolist()),)
    ).fetchall()
    found = np.array(rows, np.float64).reshape(-1)
    for seen in expected.values():
        if len(found) == 50 and np.allclose(found, seen.nearest, atol=1e-5):
            return seen.version
    raise TornReadingError(f"the search answers with {len(found)} videos of no one version")


def read_files(target: Target, version: str, manifest_hash: str | None = None) -> None:
    """A version's files under its own prefix: each is what the manifest says, and the manifest what Postgres says."""
    prefix = target.buckets.version_prefix(version)
    text = body(target, f"{prefix}/{Files.MANIFEST}")
    require(manifest_hash in (None, hashlib.sha256(text).hexdigest()), "the manifest is another than the registry's")
    manifest = json.loads(text)
    require(manifest["model_version"] == version, "the manifest is of another version")
    for file in manifest["files"]:
        content = body(target, f"{prefix}/{file['path']}")
        require(hashlib.sha256(content).hexdigest() == file["sha256"], f"{file['path']} is not what was released")


def read_current(target: Target) -> str:
    """The version that `current/manifest.json` names; its own folder is whole."""
    version = str(json.loads(body(target, f"{target.buckets.prefix}/current/{Files.MANIFEST}"))["model_version"])
    read_files(target, version)
    return version


def body(target: Target, path: str) -> bytes:
    """A public file's bytes."""
    return b"".join(target.buckets.public.read(path))


def read_everything(target: Target, expected: dict[str, Expected]) -> str:
    """All of the above at rest: one release, and `current/` is that one or still the one before."""
    with psycopg.connect(target.url, autocommit=True) as connection:
        version = live_version(connection)
        row = connection.execute("select manifest_hash from public.get_live_release()").fetchone()
        assert row is not None
        answers = {
            "view": read_view(connection, expected),
            "users": read_users(connection, expected),
            "search": read_search(connection, expected),
        }
    require(set(answers.values()) == {version}, f"{version} is live and readers see {answers}")
    read_files(target, version, row[0])
    read_current(target)
    return version
