"""A server that outlives whoever started it, and the small file by which anybody finds and ends it again.

What does not live here: which server (`postgrest`, `gateway`), and Postgres, which keeps a record of its own
(`processes`).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import psutil

from two_tower_assets.home import write_text
from two_tower_assets.local.server_log import ServerLog
from two_tower_assets.local.shutdown import wait_for

_STOP_SECONDS: Final = 10.0


class RecordedProcess:
    """The one server of a folder: `<name>.json` says which process it is, `<name>.log` what it wrote."""

    def __init__(self, folder: Path, name: str) -> None:
        self.log = ServerLog(folder / f"{name}.log")
        self._file = folder / f"{name}.json"
        self._child: subprocess.Popen[bytes] | None = None

    def record(self) -> dict[str, Any]:
        """Return what was noted at the start; empty when nothing was started, or it was ended since."""
        try:
            record: dict[str, Any] = json.loads(self._file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return record

    def living(self) -> dict[str, Any] | None:
        """Return the record of the process while it lives."""
        record = self.record()
        return record if _process(record) is not None else None

    def is_lost(self) -> bool:
        """Whether it was started, has ended, and nobody has ended it through its record."""
        return bool(self.record()) and self.living() is None

    def launch(
        self,
        command: Sequence[str | Path],
        environment: Mapping[str, str],
        *,
        note: Mapping[str, Any],
        ready: Callable[[], bool],
        seconds: float,
        folder: Path = Path("/"),
    ) -> bool:
        """Start the program detached, and wait until it is ready or has ended; returns whether it is ready.

        Args:
            command: the program and its arguments; no secrets, which everybody could read.
            environment: its whole environment.
            note: what the record says besides the process.
            ready: asked again and again.
            seconds: the longest wait.
            folder: the program's working folder.
        """
        with self.log.appending() as log:
            child = subprocess.Popen(
                list(command),
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in the terminal is for us, who then stop it in order.
                start_new_session=True,
            )
        self._child = child
        started = psutil.Process(child.pid).create_time()
        write_text(self._file, json.dumps({"pid": child.pid, "started": started, **note}))
        wait_for(lambda: child.poll() is not None or ready(), seconds)
        return child.poll() is None and ready()

    def end(self) -> None:
        """End the process after the requests it is at, whoever started it, and forget it. None is no error."""
        process = _process(self.record())
        if process is not None:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
            if not wait_for(lambda: _process(self.record()) is None, _STOP_SECONDS):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        if self._child is not None:
            self._child.wait()
            self._child = None
        self._file.unlink(missing_ok=True)


def _process(record: Mapping[str, Any]) -> psutil.Process | None:
    """Return the living process of a record; a process id alone may be another program's by now."""
    try:
        process = psutil.Process(int(record["pid"]))
        same = abs(process.create_time() - record["started"]) < 1
        alive = same and process.status() != psutil.STATUS_ZOMBIE
    except (KeyError, psutil.NoSuchProcess):
        return None
    return process if alive else None
