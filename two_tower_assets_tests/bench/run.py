"""The whole of `two-tower run` in a new home: on the default sample and on 500 000 decisions, against bounds."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.bench.catalogue.folder import write_catalogue
from two_tower_assets_tests.bench.catalogue.size import Size
from two_tower_assets_tests.bench.report import Line

_BOUND_SECONDS = 180.0
_LARGE = Size.of(500_000, videos=4000)
_LARGE_BOUND_SECONDS = 240.0
# How good a model of made-up people is, is not the question; the run must not end at it.
_LENIENT = """
[gate]
max_nope_ratio = 100.0
[release]
min_ann_recall = 0.8
min_filtered_ann_recall = 0.5
"""


def measure() -> Iterator[Line]:
    """Time the first run and the second, which finds everything unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        try:
            seconds, peak = _run(home, "")
            again, _ = _run(home, "")
        finally:
            EmbeddedPostgres(home.postgres).destroy()
    yield Line(
        stage="run",
        what="two-tower run on the default sample, from nothing to a live release",
        figure=f"{seconds:.0f} s, {peak} in one process",
        against=f"bound {_BOUND_SECONDS:.0f} s",
        ratio=seconds / _BOUND_SECONDS,
        target="< 1.0 x",
        met=seconds < _BOUND_SECONDS,
    )
    yield Line(
        stage="run",
        what="the same again, everything unchanged",
        figure=f"{again:.0f} s",
        against=f"first run {seconds:.0f} s",
        ratio=again / seconds,
        target="< 1.0 x",
        met=again < seconds,
    )
    yield _large()


def _large() -> Line:
    with tempfile.TemporaryDirectory() as folder:
        home, rows = Home(Path(folder) / "home"), Path(folder) / "rows"
        home.root.mkdir()
        (home.root / "two_tower.toml").write_text(_LENIENT, encoding="utf-8")
        write_catalogue(rows, _LARGE)
        try:
            seconds, peak = _run(home, str(rows))
        finally:
            EmbeddedPostgres(home.postgres).destroy()
    return Line(
        stage="run",
        what=f"two-tower run on {_LARGE.decisions:,} decisions of {_LARGE.videos:,} videos, intervals included",
        figure=f"{seconds:.0f} s, {peak} in one process",
        against=f"bound {_LARGE_BOUND_SECONDS:.0f} s",
        ratio=seconds / _LARGE_BOUND_SECONDS,
        target="< 1.0 x",
        met=seconds < _LARGE_BOUND_SECONDS,
    )


def _run(home: Home, data: str) -> tuple[float, str]:
    environment = {**os.environ, "TWO_TOWER_HOME": str(home.root), "TWO_TOWER_DATA": data}
    started = time.perf_counter()
    command = [sys.executable, "-m", "two_tower_assets.cli", "run"]
    finished = subprocess.run(command, env=environment, cwd=home.root, capture_output=True, text=True, check=True)
    peak = re.search(r"[\d,]+ MiB", finished.stdout)
    assert peak is not None
    return time.perf_counter() - started, peak[0]
