"""`ai-recommend-v5` and `embed-user` through the whole local stack, the callers on the same cores.

50 000 videos with tags, users with a hundred decisions each, and a tower with a full vocabulary. No setting of the
database is relaxed.
"""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
import psycopg

from two_tower_assets.artifacts.embeddings import read_blocks
from two_tower_assets.contract import Files
from two_tower_assets.database.migrate import migrate
from two_tower_assets.environment import read_environment
from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.stack import LocalStack
from two_tower_assets.publishing.target import Target
from two_tower_assets.storage.buckets import open_buckets
from two_tower_assets_tests.artifacts.versions import feature_space, make_version
from two_tower_assets_tests.bench.cost import Cost, measured
from two_tower_assets_tests.bench.report import Line
from two_tower_assets_tests.publishing.releasing import NEW, release

VIDEOS, TAGS, PERFORMERS = 50_000, 512, 256
USERS, SEEN = 200, 100
WARM_SECONDS, SECONDS = 3.0, 12.0
BOUNDS = {4: (25.0, 80.0), 20: (120.0, 300.0)}
"""Milliseconds at so many callers: median, 99th percentile."""
COLD_MILLISECONDS = 1500.0
MEGABYTES = 256.0
"""What a hosted function has, of which this process runs two, and the gateway."""
_STAGE = "stack"


@dataclass(frozen=True)
class _Callers:
    """A server that calls for many users."""

    url: str
    key: str
    users: list[str]
    process: int
    """Who answers."""


@dataclass(frozen=True)
class _Load:
    """What callers of one kind saw."""

    milliseconds: list[float]
    failures: int
    cost: Cost
    """Its memory is that of the process that answers."""

    def percentile(self, percent: float) -> float:
        return float(np.percentile(self.milliseconds, percent))

    @property
    def rate(self) -> float:
        return len(self.milliseconds) / self.cost.seconds


def measure() -> Iterator[Line]:
    """Yield latencies at 4 and at 20 callers, and the memory of the process that answers."""
    with tempfile.TemporaryDirectory() as name:
        home = Home(Path(name) / "home")
        home.root.mkdir()
        try:
            users = _filled(home)
            _command(home, "up", "--detach")
            yield from _measured(LocalStack(home), users)
        finally:
            _command(home, "down")
            EmbeddedPostgres(home.postgres).destroy()


def _measured(stack: LocalStack, users: list[str]) -> Iterator[Line]:
    url, key = stack.url, stack.keys.service_role
    assert url is not None
    callers = _Callers(url, key, users, _gateway(stack))
    cold = _loaded(callers, "ai-recommend-v5", 1, 0.0)
    yield _line("ai-recommend-v5, first answer of the process", cold, 100, COLD_MILLISECONDS)
    loads = [cold, _loaded(callers, "ai-recommend-v5", 4, WARM_SECONDS)]
    for function in ("ai-recommend-v5", "embed-user"):
        for count, bounds in BOUNDS.items():
            load = _loaded(callers, function, count, SECONDS)
            loads.append(load)
            for what, percent, bound in (("median", 50, bounds[0]), ("p99", 99, bounds[1])):
                yield _line(f"{function}, {VIDEOS} videos, {count} callers: {what}", load, percent, bound)
    megabytes = psutil.Process(callers.process).memory_info().rss / 1e6
    yield Line(
        stage=_STAGE,
        what="memory of the Deno that runs both functions and the gateway",
        figure=f"{megabytes:.0f} MB",
        against=f"a hosted function's limit: {MEGABYTES:.0f} MB",
        ratio=megabytes / MEGABYTES,
        target="<= 1.0 x",
        met=megabytes <= MEGABYTES,
        seconds=None,
        peak_mib=max((load.cost.peak_mib for load in loads if load.cost.peak_mib is not None), default=None),
        moved=None,
    )


def _line(what: str, load: _Load, percent: float, bound: float) -> Line:
    reached = load.percentile(percent)
    return Line(
        stage=_STAGE,
        what=what,
        figure=f"{reached:.1f} ms ({load.rate:.0f}/s, {load.failures} errors)",
        against=f"bound: {bound:.0f} ms",
        ratio=reached / bound,
        target="<= 1.0 x, no error",
        met=reached <= bound and not load.failures,
        seconds=reached / 1000,
        peak_mib=load.cost.grown_mib,
        moved=None,
    )


def _loaded(callers: _Callers, function: str, count: int, seconds: float) -> _Load:
    """Call again and again from so many threads, each over a connection of its own; at least once each."""
    start, lock = time.perf_counter(), threading.Lock()
    milliseconds: list[float] = []
    failures: list[int] = []

    def call(number: int) -> None:
        random = np.random.default_rng(number)
        connection = http.client.HTTPConnection(callers.url.removeprefix("http://"), timeout=60)
        headers = {"authorization": f"Bearer {callers.key}", "content-type": "application/json"}
        while True:
            body = json.dumps({"user_id": callers.users[random.integers(len(callers.users))]})
            begun = time.perf_counter()
            connection.request("POST", f"/functions/v1/{function}", body, headers)
            answer = connection.getresponse()
            answer.read()
            with lock:
                milliseconds.append(1000 * (time.perf_counter() - begun))
                failures.extend([answer.status] if answer.status != 200 else [])
            if time.perf_counter() - start >= seconds:
                break
        connection.close()

    threads = [threading.Thread(target=call, args=(number,)) for number in range(count)]
    with measured(callers.process) as cost:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return _Load(milliseconds, len(failures), cost)


def _gateway(stack: LocalStack) -> int:
    return int(json.loads((stack.home.stack / "gateway.json").read_text())["pid"])


def _command(home: Home, *arguments: str) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SUPABASE_", "TWO_TOWER_"))}
    command = [sys.executable, "-m", "two_tower_assets.cli", *arguments]
    environment = {**kept, "TWO_TOWER_HOME": str(home.root)}
    subprocess.run(command, env=environment, cwd=home.root, check=True, stdout=subprocess.DEVNULL)


def _filled(home: Home) -> list[str]:
    """Release a version in a home and return users who have decided."""
    postgres = EmbeddedPostgres(home.postgres)
    postgres.start()
    url = postgres.ensure_database("sample")
    migrate(url)
    folder = make_version(home.artifacts, NEW, videos=VIDEOS, space=feature_space(TAGS, PERFORMERS))
    users = _people(url, folder)
    environment = read_environment({"TWO_TOWER_HOME": str(home.root)}, folder=home.root)
    release(Target(url, open_buckets(environment, "sample")), folder)
    return users


def _people(url: str, folder: Path) -> list[str]:
    ids = np.concatenate([block for block, _ in read_blocks(folder / Files.VIDEO_EMBEDDINGS)])
    users = [str(uuid.UUID(int=0xBEC4_0000 + number)) for number in range(USERS)]
    random = np.random.default_rng(0)
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        with cursor.copy(
            "copy public.videos (id, title, price, maker, safety_level, product_released_at) from stdin"
        ) as copy:
            for number, video in enumerate(ids):
                day = f"{2020 + number % 6}-01-01"
                copy.write_row((video, f"video {number}", number % 5000, f"maker {number % 300}", number % 3, day))
        cursor.execute("insert into public.tags (name) select 'tag ' || n from generate_series(0, 511) as n")
        cursor.execute(
            "insert into public.video_tags (video_id, tag_id) select v.id, t.id from"
            " (select id, row_number() over () as n from public.videos) as v join"
            " (select id, row_number() over () as n from public.tags) as t"
            " on t.n - 1 in (v.n % 512, v.n * 7 % 512, v.n * 13 % 512)"
        )
        with cursor.copy("copy public.user_video_decisions (user_id, video_id, decision_type) from stdin") as copy:
            for user in users:
                for place, number in enumerate(random.choice(len(ids), SEEN, replace=False)):
                    copy.write_row((user, ids[number], "like" if place % 2 else "nope"))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
    return users
