"""How work of many steps says which one it has just finished: for the log, and for tests that stop it there.

What does not live here: how far one long step is (`progress`).
"""

from __future__ import annotations

from collections.abc import Callable

Reached = Callable[[str], None]
"""Called with the name of each step as soon as it is done, such as `uploaded user_tower.onnx`."""


def unheard(step: str) -> None:
    """Tell nobody."""
    del step
