"""Feature payloads over REST, beside fetching the same pages with nothing done to them, and beside Postgres."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pyarrow.parquet as pq

from two_tower_assets.contract import MAX_PAGE
from two_tower_assets.database.migrate import migrate
from two_tower_assets.features import payloads, rest_payloads
from two_tower_assets.features.payloads import USERS_FILE
from two_tower_assets.local.keys import ProjectKeys, new_secret
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import PostgREST, authenticator_url
from two_tower_assets.rest.client import RestClient
from two_tower_assets.settings import SampleSettings
from two_tower_assets.sources.load import load
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import take_snapshot
from two_tower_assets_tests.bench.cost import in_turns
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.publishing.gateway import gateway

SAMPLE = SampleSettings(users=8000, videos=4000, decisions_per_user=30)
BOUND = 1.3
REPETITIONS = 3


def measure() -> Iterator[Line]:
    """Yield the ratio to the bare pages, and to reading over a Postgres connection."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        try:
            yield from _measured(postgres.ensure_database("payloads"), Path(folder))
        finally:
            postgres.destroy()


def _measured(url: str, folder: Path) -> Iterator[Line]:
    migrate(url)
    load(url, generate_sample(SAMPLE), source="bench")
    as_of = take_snapshot(url, folder / "snapshots").cutoff
    keys = ProjectKeys(new_secret())
    server = PostgREST(
        folder / "rest", database_url=authenticator_url(url, keys), keys=keys, programs=folder / "programs"
    )
    with server, gateway(server.url) as at, RestClient(at.url, keys.service_role) as project:
        users = payloads.read_user_payloads(url, folder, as_of=as_of)
        asked = _requests(folder / USERS_FILE, as_of)
        size = _fetch(at.url, keys.service_role, asked)
        direct, bare, rest = in_turns(
            lambda: payloads.read_user_payloads(url, folder, as_of=as_of),
            lambda: _fetch(at.url, keys.service_role, asked),
            lambda: rest_payloads.read_user_payloads(project, folder, as_of=as_of),
            turns=REPETITIONS,
        )
    what = f"payloads of {users:,} users over REST, pages of {MAX_PAGE:,}, to a file"
    yield Line(
        stage="features",
        what=f"{what}, completeness proven",
        figure=f"{rest.seconds:.2f} s",
        against=f"the same pages, fetched alone: {bare.seconds:.2f} s"
        f" (a Postgres connection, to a file: {direct.seconds:.2f} s)",
        ratio=rest.seconds / bare.seconds,
        target=f"<= {BOUND} x",
        met=rest.seconds <= BOUND * bare.seconds,
        seconds=rest.seconds,
        peak_mib=rest.grown_mib,
        moved=Moved(size, "bytes"),
    )


def _requests(file: Path, as_of: datetime) -> list[dict[str, object]]:
    """Return the parameters of every page, the empty last one included."""
    ids = pq.read_table(file, columns=["id"])["id"].to_pylist()
    last = [None, *ids[MAX_PAGE - 1 :: MAX_PAGE]]
    if len(ids) % MAX_PAGE:
        last.append(ids[-1])
    return [{"as_of": as_of.isoformat(), "p_limit": MAX_PAGE, "p_after": after} for after in last]


def _fetch(url: str, key: str, requests: list[dict[str, object]]) -> int:
    """Ask for the pages one after another, leave their bytes unread, and return how many there were."""
    path = f"{url}/rest/v1/rpc/get_user_embedding_feature_batch?select=user_id,payload::text&order=user_id"
    headers = {"apikey": key, "authorization": f"Bearer {key}", "content-type": "application/json"}
    with httpx.Client(timeout=60, headers=headers) as client:
        answers = (client.post(path, content=json.dumps(parameters)) for parameters in requests)
        return sum(len(answer.raise_for_status().content) for answer in answers)
