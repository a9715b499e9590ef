"""Worker processes as the one that waits for them sees them: points given out, looks answered, deaths noticed.

What a worker is told and says is in `worker`.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from two_tower_assets.errors import TuningError
from two_tower_assets.settings import Settings

Look = Callable[[int, float], bool]
"""Told the fifths of a fit that are done and its recall; returns whether it's worth going on."""

_THREADS: Final = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS")
_PATIENT: Final = {"OMP_WAIT_POLICY": "PASSIVE"}
"""A thread that waits for another sleeps: spinning, it would keep the core from the one that it waits for."""
_NEEDED: Final = frozenset({"HOME", "LANG", "PATH", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV"})
_NEEDED_KINDS: Final = ("CUDA_", "LC_", "LD_", "NVIDIA_", "PYTHON", "TORCH_")
_LAST_WORDS: Final = 800
"""Characters of what a worker wrote before it died."""


class WorkerDied(Exception):  # noqa: N818 -- a fact about a process, which is mended here
    """A worker ended in the middle of a point; the text is the last that it wrote."""


@dataclass(frozen=True)
class Answer:
    """What came of a point."""

    value: float | None
    """Recall on the validation window; None when the fit was ended early or refused."""
    refused: str | None = None
    """Why the settings could not be fitted."""


class Crew:
    """So many workers, each begun when it is first needed and again after it died.

    Args:
        folder: the window (`window.write_window`).
        settings: those that every point starts from.
        workers: how many.
    """

    def __init__(self, folder: Path, settings: Settings, workers: int) -> None:
        self.workers = workers
        self._folder, self._settings = folder, settings
        self._free: queue.Queue[_Worker | None] = queue.Queue()
        for _ in range(workers):
            self._free.put(None)
        self._all: list[_Worker] = []
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="tuning")
        self._ended = False

    def submit(self, settings: Settings, look: Look) -> Future[Answer]:
        """Have a point measured by the next free worker; the future raises `WorkerDied` when that one dies."""
        return self._pool.submit(self._measure, settings, look)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End every worker, whatever it is at."""
        self._ended = True
        for worker in tuple(self._all):
            worker.end()
        self._pool.shutdown(cancel_futures=True)
        for worker in self._all:
            worker.close()

    def _measure(self, settings: Settings, look: Look) -> Answer:
        worker = self._free.get()
        try:
            if worker is None:
                worker = self._begun()
            return worker.measure(settings, look)
        except BaseException:
            if worker is not None:
                worker.end()
            # The next point begins another.
            worker = None
            raise
        finally:
            self._free.put(worker)

    def _begun(self) -> _Worker:
        worker = _Worker(threads=max(1, _cores() // self.workers))
        self._all.append(worker)
        if self._ended:
            worker.end()
        worker.prepare(self._folder, self._settings)
        return worker


class _Worker:
    """One process."""

    def __init__(self, *, threads: int) -> None:
        self._threads = threads
        self._words = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- as long as the worker
        self._process = subprocess.Popen(
            [sys.executable, "-m", "two_tower_assets.tuning.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._words,
            text=True,
            env={**_passed_on(), **dict.fromkeys(_THREADS, str(threads)), **_PATIENT},
        )

    def prepare(self, folder: Path, settings: Settings) -> None:
        """Tell it what it measures on, and wait until it is ready."""
        self._say({"folder": str(folder), "settings": settings.model_dump(mode="json"), "threads": self._threads})
        said = self._hear()
        if "unfit" in said:
            raise TuningError(said["unfit"]["what"], where=said["unfit"]["where"], remedy=said["unfit"]["remedy"])

    def measure(self, settings: Settings, look: Look) -> Answer:
        """Have a point measured."""
        self._say(settings.model_dump(mode="json"))
        while True:
            said = self._hear()
            if "look" in said:
                self._say("on" if look(said["look"], said["value"]) else "stop")
            elif "refused" in said:
                return Answer(None, refused=said["refused"]["what"])
            else:
                return Answer(said.get("value"))

    def end(self) -> None:
        """Kill it."""
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        """Give back what the ended process leaves; nobody may be talking to it."""
        for stream in (self._process.stdin, self._process.stdout, self._words):
            if stream is not None:
                with suppress(OSError):
                    stream.close()

    def _say(self, words: Any) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(words) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise self._death() from None

    def _hear(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line.endswith("\n"):
            raise self._death()
        heard: dict[str, Any] = json.loads(line)
        return heard

    def _death(self) -> WorkerDied:
        code = self._process.wait()
        self._words.seek(0)
        last = self._words.read()[-_LAST_WORDS:].strip()
        return WorkerDied(f"it ended with {code}" + (f": {last}" if last else ""))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _passed_on() -> dict[str, str]:
    """The environment that a worker gets: what Python, torch and a card need, no address and no key of a server."""
    return {name: value for name, value in os.environ.items() if name in _NEEDED or name.startswith(_NEEDED_KINDS)}
