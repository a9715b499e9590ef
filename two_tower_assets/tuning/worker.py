"""The process that measures points: `python -m two_tower_assets.tuning.worker`.

It reads lines of JSON from standard input, first the window's folder and the settings, then points as whole settings,
and writes lines to standard output: `{"look", "value"}`, which wants `on` or `stop`, and at last `{"value"}`,
`{"stopped"}` or `{"refused"}`. It ends with its input: nobody outlives the process that waits for them. What does not
live here: a database, an address of one, and anything of the test window.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

import torch

from two_tower_assets.errors import TwoTowerError
from two_tower_assets.settings import parse_settings
from two_tower_assets.tuning.measure import measure
from two_tower_assets.tuning.window import open_window


class _Stopped(Exception):  # noqa: N818 -- no error, a decision
    """The point isn't worth finishing."""


class _Conversation:
    """Lines in and out."""

    def __init__(self, said: TextIO) -> None:
        self._said = said
        self._heard: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._listen, daemon=True, name="input").start()

    def hear(self) -> Any:
        """Wait for the next line."""
        return json.loads(self._heard.get())

    def say(self, **words: Any) -> None:
        """Write one."""
        self._said.write(json.dumps(words) + "\n")
        self._said.flush()

    def look(self, look: int, value: float) -> None:
        """Tell how far a fit is, and end it where that is the answer."""
        self.say(look=look, value=value)
        if self.hear() == "stop":
            raise _Stopped

    def _listen(self) -> None:
        for line in sys.stdin:
            self._heard.put(line)
        os._exit(0)


def main() -> None:
    """Measure points for as long as somebody asks."""
    # Ctrl-C reaches everything in the terminal; who ends this process is the one that waits for it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    talk = _Conversation(os.fdopen(os.dup(1), "w"))
    os.dup2(2, 1)

    job = talk.hear()
    torch.set_num_threads(job["threads"])
    try:
        window = open_window(Path(job["folder"]), parse_settings(job["settings"], where="tuning"))
    except TwoTowerError as error:
        talk.say(unfit=_words(error))
        return
    talk.say(ready=os.getpid())
    while True:
        settings = parse_settings(talk.hear(), where="tuning")
        try:
            talk.say(value=measure(window, settings, talk.look))
        except _Stopped:
            talk.say(stopped=True)
        except TwoTowerError as error:
            talk.say(refused=_words(error))


def _words(error: TwoTowerError) -> dict[str, str | None]:
    return {"what": error.what, "where": error.where, "remedy": error.remedy}


if __name__ == "__main__":
    main()
