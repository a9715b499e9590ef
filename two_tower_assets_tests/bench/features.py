"""Point-in-time vectors: examples a second beside the memory's own speed and one RPC call each, and peak memory."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

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
from two_tower_assets_tests.bench.cost import Cost, in_turns, measured
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.features.worlds import large_world

DECISIONS = 1_000_000
BATCH = 4096
READ = 200 * BATCH
TARGET = 200_000
MEMORY_MIB = 2048
RPC_CALLS = 300
REPETITIONS = 3


def measure() -> Iterator[Line]:
    """Yield the throughput in both orders, the memory of a process that does nothing else, and the RPC's ratio."""
    with tempfile.TemporaryDirectory() as folder:
        large = large_world(users=20_000, videos=30_000, decisions=DECISIONS).snapshot(Path(folder))
        found = json.loads(_in_child(large.folder, large.cutoff.isoformat()))
    width, floor = found["width"], found["floor"]
    what = f"point-in-time vectors, {DECISIONS:,} decisions, batches of {BATCH}"
    for order in ("shuffled", "ordered"):
        cost = Cost(**found[order])
        rate = READ / cost.seconds
        yield Line(
            stage="features",
            what=f"{what}, {order}, {width} wide",
            figure=f"{rate:,.0f} examples/s",
            against=f"writing such a block once: {floor:,.0f} rows/s ({rate / floor:.2f} x)",
            ratio=rate / TARGET,
            target=f">= 1.0 x {TARGET:,}/s",
            met=rate >= TARGET,
            seconds=cost.seconds,
            peak_mib=cost.peak_mib,
            moved=Moved(READ * width * np.float32().itemsize, "bytes"),
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
        seconds=found["built"],
        peak_mib=peak,
        moved=Moved(DECISIONS, "rows"),
    )
    yield _against_rpc()


def _in_child(folder: Path, cutoff: str) -> str:
    """Run `_child` in a process of its own, whose peak memory is that of this work alone."""
    command = [sys.executable, "-m", "two_tower_assets_tests.bench.features", str(folder), cutoff]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _child(folder: Path, cutoff: str) -> dict[str, Any]:
    with measured() as built:
        snapshot = Snapshot(folder=folder, cutoff=datetime.fromisoformat(cutoff), content_hash="", tables={})
        states = _states(snapshot)
    examples = states.history.examples()[:READ]
    shuffled = np.random.default_rng(0).permutation(states.history.examples())[:READ]
    ordered = _read(states, examples)
    mixed = _read(states, shuffled)
    return {
        "built": built.seconds,
        "ordered": dataclasses.asdict(ordered),
        "shuffled": dataclasses.asdict(mixed),
        "floor": _floor(states.space.user_dim),
        "width": states.space.user_dim,
        "peak_mib": max(cost.peak_mib or 0.0 for cost in (built, ordered, mixed)),
    }


def _states(snapshot: Snapshot) -> UserStates:
    history = History.from_snapshot(snapshot)
    space = build_space(snapshot, settings=FeatureSettings(), history=history)
    return UserStates.from_snapshot(snapshot, history, space)


def _read(states: UserStates, examples: np.ndarray) -> Cost:
    """Read the examples, each batch into an array of its own, as training asks for them."""

    def read() -> None:
        for start in range(0, len(examples), BATCH):
            states.of_decisions(examples[start : start + BATCH])

    (cost,) = in_turns(read, turns=REPETITIONS)
    return cost


def _floor(width: int) -> float:
    """Rows a second when a block of this width is only scaled from one array into a new one."""
    block = np.ones((BATCH, width), dtype=np.float32)
    (cost,) = in_turns(lambda: [block * np.float32(0.5) for _ in range(20)], turns=REPETITIONS)
    return 20 * BATCH / cost.seconds


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
            many = np.random.default_rng(0).permutation(np.tile(examples, 5))
            cost = _read(states, many)
            rpc = RPC_CALLS / _call(states.history, examples[:: len(examples) // RPC_CALLS][:RPC_CALLS], url)
        finally:
            postgres.destroy()
    bulk = len(many) / cost.seconds
    return Line(
        stage="features",
        what=f"point-in-time vectors against one RPC call per example, {len(examples):,} examples of the sample",
        figure=f"{bulk:,.0f} examples/s",
        against=f"get_user_embedding_features(user, as_of): {rpc:,.0f} calls/s",
        ratio=bulk / rpc,
        target=">= 100 x",
        met=bulk >= 100 * rpc,
        seconds=cost.seconds,
        peak_mib=cost.grown_mib,
        moved=Moved(len(many), "rows"),
    )


def _call(history: History, decisions: np.ndarray, url: str) -> float:
    """Seconds of one call for each decision, over one connection with a prepared statement."""
    statement = "select public.get_user_embedding_features(%s::uuid, %s::timestamptz)"
    with connect(url, prepare_threshold=0) as connection:
        asked = [(history.user_ids[int(history.user[d])], moment_of(history.time[d])) for d in decisions]
        connection.execute(statement, asked[0]).fetchone()
        with measured() as cost:
            for pair in asked:
                connection.execute(statement, pair).fetchone()
        return cost.seconds


if __name__ == "__main__":
    print(json.dumps(_child(Path(sys.argv[1]), sys.argv[2])))
