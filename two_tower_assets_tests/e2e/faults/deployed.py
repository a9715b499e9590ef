"""The two Edge Functions, each a Deno process of its own as on a hosted project."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from two_tower_assets_tests.functions.deno import FUNCTIONS, Deno
from two_tower_assets_tests.loopback import free_port

NAMES = ("embed-user", "ai-recommend-v5")
START_SECONDS = 60


@dataclass(frozen=True)
class Function:
    """One running function."""

    name: str
    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def is_up(self) -> bool:
        """Whether its process runs."""
        return self.process.poll() is None

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log lines of one event."""
        lines = [line for line in self.log.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        return [fields for fields in map(json.loads, lines) if fields["event"] == name]


@contextmanager
def deployed(folder: Path, environment: Mapping[str, str]) -> Iterator[tuple[Function, ...]]:
    """Run both until the block ends; their logs lie in a folder."""
    with ExitStack() as running:
        functions = tuple(running.enter_context(_running(name, folder, environment)) for name in NAMES)
        for function in functions:
            _wait(function)
        yield functions


@contextmanager
def _running(name: str, folder: Path, environment: Mapping[str, str]) -> Iterator[Function]:
    port = free_port()
    log = folder / f"{name}-{port}.log"
    command = Deno(Path(sys.executable).parent / "deno").command(
        "run", "--quiet", "--no-check", "--allow-env", "--allow-net=127.0.0.1", FUNCTIONS / name / "index.ts"
    )
    kept = {key: os.environ[key] for key in ("PATH", "HOME", "DENO_DIR", "NPM_CONFIG_REGISTRY") if key in os.environ}
    variables = {**kept, **environment, "DENO_SERVE_ADDRESS": f"tcp:127.0.0.1:{port}", "NO_COLOR": "1"}
    with log.open("wb") as output, subprocess.Popen(command, env=variables, stdout=output, stderr=output) as process:
        try:
            yield Function(name, f"http://127.0.0.1:{port}/{name}", process, log)
        finally:
            process.terminate()


def _wait(function: Function) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert function.is_up, function.log.read_text(encoding="utf-8")
        try:
            # Anything that the function says itself will do.
            httpx.delete(function.url, trust_env=False, timeout=5)
        except httpx.TransportError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError(f"{function.name} did not listen within {START_SECONDS} s")
