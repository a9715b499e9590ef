"""The whole of `two-tower run` on the default sample, in a new home, against its bound of three minutes."""

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
from two_tower_assets_tests.bench.report import Line

_BOUND_SECONDS = 180.0


def measure() -> Iterator[Line]:
    """Time the first run and the second, which finds everything unchanged."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        try:
            seconds, peak = _run(home)
            again, _ = _run(home)
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


def _run(home: Home) -> tuple[float, str]:
    environment = {**os.environ, "TWO_TOWER_HOME": str(home.root), "TWO_TOWER_DATA": ""}
    started = time.perf_counter()
    command = [sys.executable, "-m", "two_tower_assets.cli", "run"]
    finished = subprocess.run(command, env=environment, cwd=home.root, capture_output=True, text=True, check=True)
    peak = re.search(r"[\d,]+ MiB", finished.stdout)
    assert peak is not None
    return time.perf_counter() - started, peak[0]
