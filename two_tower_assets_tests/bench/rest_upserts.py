"""A release of vectors beside what it stands for: the same upserted over REST into the live, indexed table."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Final

import httpx
import psycopg

from two_tower_assets.artifacts.embeddings import read_blocks
from two_tower_assets.contract import Files
from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.keys import ProjectKeys, new_secret
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import PostgREST, authenticator_url
from two_tower_assets.settings import ReleaseSettings
from two_tower_assets_tests.artifacts.versions import make_version
from two_tower_assets_tests.bench.cost import measured
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.publishing.releasing import NEW, OLD, release, target_at

VIDEOS: Final = 20_000
UPSERTED: Final = 500
"""Vectors that are upserted; from their time that of all follows."""
LEAST: Final = 5.0
# What an index of random vectors finds is not the question.
_SETTINGS: Final = ReleaseSettings(min_ann_recall=0.1, min_filtered_ann_recall=0.1)


def measure() -> Iterator[Line]:
    """Yield the time of a release against that of one request a vector."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        postgres = EmbeddedPostgres(folder / "postgres")
        postgres.start()
        try:
            yield from _measured(postgres.ensure_database("bench"), folder)
        finally:
            postgres.destroy()


def _measured(url: str, folder: Path) -> Iterator[Line]:
    migrate(url)
    old, new = (make_version(folder / "artifacts", version, videos=VIDEOS, seed=1) for version in (OLD, NEW))
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "insert into public.videos (id) values (%s)", [(row["video_id"],) for row in _rows(old, VIDEOS)]
        )
    target, keys = target_at(url, folder / "buckets"), ProjectKeys(new_secret())
    release(target, old, _SETTINGS)
    with measured() as releasing:
        release(target, new, _SETTINGS)
    server = PostgREST(
        folder / "rest", database_url=authenticator_url(url, keys), keys=keys, programs=folder / "programs"
    )
    rows = _rows(new, UPSERTED)
    with server, measured() as upserting:
        _upsert(server.url, keys.service_role, rows)
    released, upserted = releasing.seconds, upserting.seconds
    ratio = upserted * VIDEOS / UPSERTED / released
    yield Line(
        stage="publishing",
        what=f"a release of {VIDEOS} x 256: files, vectors, index, verification, flip",
        figure=f"{VIDEOS / released:,.0f} vectors/s",
        against=f"upserted over REST into the live table, one a request: {UPSERTED / upserted:,.0f} vectors/s",
        ratio=ratio,
        target=f">= {LEAST:.0f} x",
        met=ratio >= LEAST,
        seconds=released,
        peak_mib=releasing.grown_mib,
        moved=Moved(VIDEOS, "rows"),
    )


def _rows(folder: Path, count: int) -> Sequence[dict[str, str]]:
    blocks = read_blocks(folder / Files.VIDEO_EMBEDDINGS)
    vectors = chain.from_iterable(zip(*block, strict=True) for block in blocks)
    return [{"video_id": str(video), "embedding": str(vector.tolist())} for video, vector in islice(vectors, count)]


def _upsert(url: str, key: str, rows: Sequence[dict[str, str]]) -> None:
    """Send one request after another over one connection; each row that is replaced is a new entry of the index."""
    headers = {
        "apikey": key,
        "authorization": f"Bearer {key}",
        "prefer": "resolution=merge-duplicates,return=minimal",
    }
    with httpx.Client(timeout=60, headers=headers) as client:
        for row in rows:
            client.post(f"{url}/video_embeddings?on_conflict=video_id", json=row).raise_for_status()
