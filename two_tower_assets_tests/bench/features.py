"""Point-in-time vectors: examples a second beside the memory's own speed and one RPC call each, and peak memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import migrate
from two_tower_assets.features.build import build_space
from two_tower_assets.features.history import History
from two_tower_assets.features.point_in_time import UserStates
from two_tower_assets.features.times import moment_of
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.settings import FeatureSettings, SampleSettings
from two_tower_assets.sources.load import load
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.snapshot import Snapshot, open_snapshot, take_snapshot
from two_tower_assets_tests.bench.report import Line
from two_tower_assets_tests.features.worlds import large_world

DECISIONS = 1_000_000
BATCH = 4096
READ = 200 * BATCH
TARGET = 200_000
MEMORY_MIB = 2048
RPC_CALLS = 300


def measure() -> Iterator[Line]:
    """Yield the throughput in both orders, the memory of a process that does nothing else, and the RPC's ratio."""
    with tempfile.TemporaryDirectory() as folder:
        large = large_world(users=20_000, videos=30_000, decisions=DECISIONS).snapshot(Path(folder))
        found = json.loads(_in_child(large.folder, large.cutoff.isoformat()))
    what = f"point-in-time vectors, {DECISIONS:,} decisions, batches of {BATCH}"
    for order in ("shuffled", "ordered"):
        rate = found[order]
        yield Line(
            stage="features",
            what=f"{what}, {order}, {found['width']} wide",
            figure=f"{rate:,.0f} examples/s",
            against=f"writing such a block once: {found['floor']:,.0f} rows/s ({rate / found['floor']:.2f} x)",
            ratio=rate / TARGET,
            target=f">= 1.0 x {TARGET:,}/s",
            met=rate >= TARGET,
        )
    peak = found["peak_mib"]
    yield Line(
        stage="features",
        what=f"{what}: peak memory of the process",
        figure=f"{peak:,.0f} MiB, space and states built in {found['built']:.1f} s",
        against=f"bound {MEMORY_MIB} MiB",
        ratio=peak / MEMORY_MIB,
        target="< 1.0 x",
        met=peak < MEMORY_MIB,
    )
    yield _against_rpc()


def _in_child(folder: Path, cutoff: str) -> str:
    """Run `_child` in a process of its own, whose peak memory is that of this work alone."""
    command = [sys.executable, "-m", "two_tower_assets_tests.bench.features", str(folder), cutoff]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _child(folder: Path, cutoff: str) -> dict[str, float]:
    began = time.perf_counter()
    snapshot = Snapshot(folder=folder, cutoff=datetime.fromisoformat(cutoff), content_hash="", tables={})
    states = _states(snapshot)
    built = time.perf_counter() - began
    examples = states.history.examples()[:READ]
    shuffled = np.random.default_rng(0).permutation(states.history.examples())[:READ]
    return {
        "built": built,
        "ordered": _rate(states, examples),
        "shuffled": _rate(states, shuffled),
        "floor": _floor(states.space.user_dim),
        "width": states.space.user_dim,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def _states(snapshot: Snapshot) -> UserStates:
    history = History.from_snapshot(snapshot)
    space = build_space(snapshot, settings=FeatureSettings(), history=history)
    return UserStates.from_snapshot(snapshot, history, space)


def _rate(states: UserStates, examples: np.ndarray) -> float:
    """Examples a second, each batch in an array of its own, as training asks for them."""

    def read() -> None:
        for start in range(0, len(examples), BATCH):
            states.of_decisions(examples[start : start + BATCH])

    return len(examples) / _seconds(read)


def _floor(width: int) -> float:
    """Rows a second when a block of this width is only scaled from one array into a new one."""
    block = np.ones((BATCH, width), dtype=np.float32)
    return 20 * BATCH / _seconds(lambda: [block * np.float32(0.5) for _ in range(20)])


def _seconds(work: Callable[[], object], repetitions: int = 3) -> float:
    """Best of a few runs."""
    times = []
    for _ in range(repetitions):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


def _against_rpc() -> Line:
    """Time a call of the RPC for each example, and the bulk computation of the same examples."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        try:
            url = postgres.ensure_database("features")
            migrate(url)
            load(url, generate_sample(SampleSettings(users=400, videos=500)), source="bench")
            snapshot = take_snapshot(url, Path(folder) / "snapshots")
            states = _states(open_snapshot(snapshot.folder))
            examples = states.history.examples()
            bulk = _rate(states, np.random.default_rng(0).permutation(np.tile(examples, 5)))
            rpc = RPC_CALLS / _call(states.history, examples[:: len(examples) // RPC_CALLS][:RPC_CALLS], url)
        finally:
            postgres.destroy()
    return Line(
        stage="features",
        what=f"point-in-time vectors against one RPC call per example, {len(examples):,} examples of the sample",
        figure=f"{bulk:,.0f} examples/s",
        against=f"get_user_embedding_features(user, as_of): {rpc:,.0f} calls/s",
        ratio=bulk / rpc,
        target=">= 100 x",
        met=bulk >= 100 * rpc,
    )


def _call(history: History, decisions: np.ndarray, url: str) -> float:
    """Seconds of one call for each decision, over one connection with a prepared statement."""
    statement = "select public.get_user_embedding_features(%s::uuid, %s::timestamptz)"
    with connect(url, prepare_threshold=0) as connection:
        asked = [(str(history.user_ids[history.user[d]]), moment_of(history.time[d])) for d in decisions]
        connection.execute(statement, asked[0]).fetchone()
        return _seconds(lambda: [connection.execute(statement, pair).fetchone() for pair in asked], repetitions=1)


if __name__ == "__main__":
    print(json.dumps(_child(Path(sys.argv[1]), sys.argv[2])))
