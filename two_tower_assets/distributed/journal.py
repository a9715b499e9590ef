"""What workers tell the process that waits for them: lines of JSON in a file that both see."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from two_tower_assets.errors import TrainingError
from two_tower_assets.training.trainer import StepReport

_SECONDS_BETWEEN_LOOKS: Final = 0.2

Entry = dict[str, Any]


class Journal:
    """Entries of one fit, in the order in which they were written; whole lines only."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def began(self, *, rank: int, pid: int, step: int) -> None:
        """A worker begins, or goes on, before a step."""
        self._write({"entry": "began", "rank": rank, "pid": pid, "step": step})

    def took(self, report: StepReport) -> None:
        """The first worker has taken a step."""
        self._write({"entry": "took", **asdict(report)})

    def refused(self, error: TrainingError) -> None:
        """The fit ends by an error that another attempt would end by, too."""
        self._write({"entry": "refused", "what": error.what, "where": error.where, "remedy": error.remedy})

    def entries(self) -> list[Entry]:
        """Everything written so far."""
        if not self.path.exists():
            return []
        whole, newline, _ = self.path.read_text(encoding="utf-8").rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()] if newline else []

    @contextmanager
    def followed(self, report: Callable[[Entry], None]) -> Iterator[None]:
        """Report each entry soon after it was written, from a thread; all are reported at the end."""
        done = threading.Event()

        def follow() -> None:
            seen, last = 0, False
            while not last:
                last = done.wait(_SECONDS_BETWEEN_LOOKS)
                entries = self.entries()
                for entry in entries[seen:]:
                    report(entry)
                seen = len(entries)

        thread = threading.Thread(target=follow, name="journal")
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _write(self, entry: Entry) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")
