"""A run of the benchmarks as a file, which later runs are compared with. How the table looks lives in `report`."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from two_tower_assets.errors import TwoTowerError
from two_tower_assets.home import write_text
from two_tower_assets.training.version import current_commit
from two_tower_assets_tests.bench.report import Line, Moved, as_table


class RecordError(TwoTowerError):
    """A file is no record of a benchmark."""

    code = "bench_record"


@dataclass(frozen=True)
class Record:
    """What one run measured, and where."""

    measured_at: str
    """ISO 8601, UTC."""
    commit: str
    machine: str
    lines: tuple[Line, ...]

    @classmethod
    def of(cls, lines: list[Line]) -> Record:
        """Record what was measured here and now."""
        versions = f"Python {platform.python_version()}, torch {torch.__version__}"
        machine = f"{os.cpu_count()} cores, {platform.machine()}, {versions}"
        commit = current_commit(None, Path(__file__).parent)
        return cls(datetime.now(UTC).isoformat(timespec="seconds"), commit, machine, tuple(lines))

    def write(self, folder: Path) -> None:
        """Write `bench.json`, to be compared, and `bench.md`, to be read."""
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "bench.json", json.dumps(dataclasses.asdict(self), indent=1) + "\n")
        write_text(folder / "bench.md", f"{self.title}\n\n{as_table(list(self.lines))}\n")

    @property
    def title(self) -> str:
        """When, of which code and on what it was measured."""
        return f"Measured at {self.measured_at} of commit {self.commit[:7]} on {self.machine}."


def read_record(file: Path) -> Record:
    """Read a `bench.json`; what an older one does not say of seconds, memory and work is None.

    Raises:
        RecordError: there is no such file, or another thing is in it.
    """
    try:
        found = json.loads(file.read_text())
        lines = tuple(_line(line) for line in found.pop("lines"))
        return Record(lines=lines, **found)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RecordError(
            f"This is no record of a benchmark ({error})",
            where=str(file),
            remedy="`make bench` writes one: bench.json.",
        ) from error


def _line(told: Mapping[str, Any]) -> Line:
    moved = told.get("moved")
    return Line(**{"seconds": None, "peak_mib": None, **told, "moved": moved and Moved(**moved)})
