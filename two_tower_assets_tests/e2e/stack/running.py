"""A stack that runs, as whoever started it with `two-tower up` has it: what was printed, and calling it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from two_tower_assets.local.keys import USER_TOKEN_LIFETIME, ProjectKeys, new_secret

START_SECONDS = 180
FOREIGN = ("SUPABASE_", "TWO_TOWER_", "MODEL_ARTIFACT", "DAGSTER_", "JWT_SECRET")


def variables(home: Path, **more: str) -> dict[str, str]:
    """The environment of a command in a home, without other projects."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
    return {**kept, "TWO_TOWER_HOME": str(home), "COLUMNS": "200", "OMP_NUM_THREADS": "1", **more}


def command(*arguments: str) -> list[str]:
    """A command line of `two-tower`."""
    return [sys.executable, "-m", "two_tower_assets.cli", *arguments]


def two_tower(home: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `two-tower …` to its end."""
    return subprocess.run(
        command(*arguments), env=variables(home, **more), cwd=home, capture_output=True, text=True, check=False
    )


@dataclass
class Up:
    """A `two-tower up` in the foreground."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)
    """What it printed until it was ready."""

    @property
    def printed(self) -> dict[str, str]:
        """The variables among the lines."""
        pairs = (line.split("=", 1) for line in self.lines if line.split("=", 1)[0].isupper() and "=" in line)
        return dict(pairs)

    @property
    def curls(self) -> list[str]:
        """The lines for the shell."""
        return [line for line in self.lines if line.startswith("curl ")]

    @property
    def url(self) -> str:
        """SUPABASE_URL."""
        return self.printed["SUPABASE_URL"]

    def interrupt(self) -> tuple[int, str]:
        """Press Ctrl-C; return the exit status and what was written on the way out."""
        self.process.send_signal(signal.SIGINT)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@contextmanager
def brought_up(home: Path, *arguments: str, **more: str) -> Iterator[Up]:
    """Run `two-tower up`, yield when it has printed all, and press Ctrl-C in the end unless it has ended."""
    with _started(home, *arguments, **more) as process:
        up = Up(process)
        try:
            _read_all(up)
            yield up
        finally:
            if process.poll() is None:
                up.interrupt()


def _started(home: Path, *arguments: str, **more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command("up", *arguments),
        env={**variables(home, **more), "PYTHONUNBUFFERED": "1"},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _read_all(up: Up) -> None:
    process = up.process
    guard = threading.Timer(START_SECONDS, process.kill)
    guard.start()
    assert process.stdout is not None
    for line in process.stdout:
        up.lines.append(line.rstrip("\n"))
        if line.startswith("Ctrl-C"):
            break
    guard.cancel()
    if not any(line.startswith("Ctrl-C") for line in up.lines):
        _, said = process.communicate()
        raise AssertionError(f"two-tower up ended with {process.returncode}: {said}")


@dataclass(frozen=True)
class Caller:
    """Somebody with headers, who calls functions."""

    url: str
    headers: Mapping[str, str]

    def call(self, function: str, user: str, **more: Any) -> httpx.Response:
        """POST to a function."""
        return httpx.post(
            f"{self.url}/functions/v1/{function}",
            json={"user_id": user, **more},
            headers=dict(self.headers),
            timeout=60,
            trust_env=False,
        )

    def embed(self, user: str, **more: Any) -> dict[str, Any]:
        """A good answer of `embed-user`."""
        return _good(self.call("embed-user", user, **more))

    def recommend(self, user: str, **more: Any) -> dict[str, Any]:
        """A good answer of `ai-recommend-v5`."""
        return _good(self.call("ai-recommend-v5", user, **more))


def server(up: Up) -> Caller:
    """A server with the service key."""
    return bearer(up, up.printed["SUPABASE_SERVICE_ROLE_KEY"])


def bearer(up: Up, token: str) -> Caller:
    """Somebody with this token and the project's anon key."""
    return Caller(up.url, {"apikey": up.printed["SUPABASE_ANON_KEY"], "authorization": f"Bearer {token}"})


def nobody(up: Up) -> Caller:
    """Somebody without a token."""
    return Caller(up.url, {"apikey": up.printed["SUPABASE_ANON_KEY"]})


def stranger(up: Up, user: str) -> Caller:
    """A user whose token another project has signed."""
    return bearer(up, ProjectKeys(new_secret()).authenticated(user, lifetime=USER_TOKEN_LIFETIME))


def _good(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body
