"""The Edge Functions' two inference engines: a fresh Deno to its first vector, and vectors after that.

The tower has the default width and a full vocabulary of tags and performers. Native onnxruntime on one thread, given
the same features ready-made, is the floor.
"""

from __future__ import annotations

import functools
import http.server
import itertools
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from two_tower_assets.artifacts.golden import GoldenVectors, golden_vectors
from two_tower_assets.artifacts.manifest import manifest_hash, write_manifest
from two_tower_assets.artifacts.user_tower import export_user_tower
from two_tower_assets.contract import USER_EMBEDDING_TENSOR, USER_TENSOR, Files
from two_tower_assets_tests.artifacts.versions import CUTOFF, VERSION, feature_space, make_version, towers
from two_tower_assets_tests.bench.report import Line, Moved
from two_tower_assets_tests.functions.deno import TESTS, Deno
from two_tower_assets_tests.functions.older_deno import older_deno
from two_tower_assets_tests.loopback import serving

TAGS, PERFORMERS, HIDDEN = 512, 256, 256
RUNS = 2000
TURNS = 3
BOUNDS = {"typescript": (0.3, 100.0), "wasm": (1.5, 230.0)}
"""Seconds to the first vector, and megabytes then."""
ARMS = {"typescript": (256, "a hosted function has"), "wasm": (350, "bound, on a machine of one's own")}
"""Megabytes with all the versions that experiments may add, and what sets them."""


def measure() -> Iterator[Line]:
    """Yield time and memory of the start of each engine, and its time a vector against native onnxruntime."""
    deno = Deno(Path(sys.executable).parent / "deno")
    with tempfile.TemporaryDirectory() as name:
        folder = _version(Path(name), deno.wasm())
        native = _native_milliseconds(folder)
        with _served(Path(name)) as url:
            for each, (engine, (seconds, megabytes)) in itertools.product(_denos(deno, Path(name)), BOUNDS.items()):
                best = min((_run(each, engine, url, folder) for _ in range(TURNS)), key=_cold)
                yield from _lines(engine, best, native, seconds, megabytes)


def _denos(today: Deno, folder: Path) -> list[Deno]:
    """Today's, and the one of hosted functions where npm brings it."""
    return [today, older_deno(folder)] if shutil.which("npm") else [today]


def _lines(engine: str, found: dict[str, Any], native: float, seconds: float, megabytes: float) -> Iterator[Line]:
    cold, warm, memory = _cold(found) / 1000, found["warm_milliseconds"], found["megabytes"]
    fetched = f"{found['bytes_fetched'] / 1e6:.1f} MB fetched"
    yield Line(
        stage="functions",
        what=f"{engine}, Deno {found['deno']}: fresh process to a checked model",
        figure=f"{cold:.2f} s, {fetched}",
        against=f"bound: {seconds} s",
        ratio=cold / seconds,
        target="<= 1.0 x",
        met=cold <= seconds,
        seconds=cold,
        peak_mib=found["cold_peak_mib"],
        moved=Moved(found["bytes_fetched"], "bytes"),
    )
    yield Line(
        stage="functions",
        what=f"{engine}, Deno {found['deno']}: memory after {RUNS} vectors",
        figure=f"{memory:.0f} MB",
        against=f"bound: {megabytes:.0f} MB",
        ratio=memory / megabytes,
        target="<= 1.0 x",
        met=memory <= megabytes,
        seconds=None,
        peak_mib=found["peak_mib"],
        moved=None,
    )
    with_arms, (most, why) = found["megabytes_with_arms"], ARMS[engine]
    yield Line(
        stage="functions",
        what=f"{engine}, Deno {found['deno']}: memory with {found['versions']} versions, as with experiments",
        figure=f"{with_arms:.0f} MB",
        against=f"{why}: {most} MB",
        ratio=with_arms / most,
        target="<= 1.0 x",
        met=with_arms <= most,
        seconds=None,
        peak_mib=found["peak_mib_with_arms"],
        moved=None,
    )
    yield Line(
        stage="functions",
        what=f"{engine}, Deno {found['deno']}: payload to vector, {TAGS} tags, {PERFORMERS} performers, median",
        figure=f"{warm:.2f} ms",
        against=f"native onnxruntime, features ready: {native:.2f} ms",
        ratio=warm / native,
        target="<= 1 ms",
        met=warm <= 1,
        seconds=warm / 1000,
        peak_mib=found["peak_mib"],
        moved=None,
    )


def _cold(found: dict[str, Any]) -> float:
    return float(found["cold_milliseconds"])


def _version(artifacts: Path, wasm: Path) -> Path:
    space = feature_space(TAGS, PERFORMERS)
    folder = make_version(artifacts, VERSION, videos=10, space=space, embeddings=False)
    tower = towers(space, hidden=(HIDDEN,)).user
    export_user_tower(tower, folder / Files.USER_TOWER)
    golden_vectors(VERSION, tower, space, as_of=CUTOFF).write(folder / Files.GOLDEN_VECTORS)
    (folder / wasm.name).write_bytes(wasm.read_bytes())
    write_manifest(folder)
    return folder


def _native_milliseconds(folder: Path) -> float:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(folder / Files.USER_TOWER, options, providers=["CPUExecutionProvider"])
    case = GoldenVectors.read(folder / Files.GOLDEN_VECTORS).cases[2]
    features_BF = np.array([case.features], np.float32)
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        session.run([USER_EMBEDDING_TENSOR], {USER_TENSOR: features_BF})
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1000


def _run(deno: Deno, engine: str, url: str, folder: Path) -> dict[str, Any]:
    arguments = (engine, url, folder.name, manifest_hash(folder))
    command = deno.command("run", "--no-check", "--allow-all", TESTS / "measure.ts", *arguments)
    found: dict[str, Any] = json.loads(subprocess.check_output(command, text=True))
    return found


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the parent's word
        """Say nothing."""


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=folder)
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)) as server:
        yield f"http://127.0.0.1:{server.server_port}"
