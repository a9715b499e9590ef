"""Stacks of all threads, looked at every few milliseconds by a thread of our own.

Code in C is seen as the Python line that called it. No line of the work is slowed down by being counted, and nothing
has to be installed or allowed, as for a profiler that looks from outside.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from types import CodeType, FrameType
from typing import Final, TypeVar

Stack = tuple[str, ...]
"""Functions from the outermost to the innermost, each as `module.function`."""

_T = TypeVar("_T")

_SECONDS: Final = 0.01
_WAITING: Final = ("threading", "queue", "selectors", "concurrent.futures.thread", "concurrent.futures._base")
"""Where a thread of a pool is when it has nothing to do."""


def sampled(work: Callable[[], _T], *, seconds: float = _SECONDS) -> tuple[_T, Mapping[Stack, int]]:
    """Do some work and return what it returns, and how often each stack was met.

    The stacks of this thread begin with the work; other threads count where they do not wait for something to do.

    Args:
        work: what is looked at.
        seconds: between two looks.
    """
    found = Counter[Stack]()
    over = threading.Event()
    here, root = threading.get_ident(), sampled.__code__
    looking = threading.Thread(target=_look, args=(found, over, here, root, seconds), daemon=True, name="profile")
    looking.start()
    try:
        value = work()
    finally:
        over.set()
        looking.join()
    return value, found


def _look(found: Counter[Stack], over: threading.Event, here: int, root: CodeType, seconds: float) -> None:
    own = threading.get_ident()
    while not over.wait(seconds):
        for thread, frame in sys._current_frames().items():  # noqa: SLF001 - the documented way to other threads' frames
            if thread != own and (thread == here or frame.f_globals.get("__name__") not in _WAITING):
                found[_stack(frame, root)] += 1


def _stack(frame: FrameType | None, root: CodeType) -> Stack:
    names = []
    while frame is not None and frame.f_code is not root:
        names.append(f"{frame.f_globals.get('__name__', '?')}.{frame.f_code.co_qualname}")
        frame = frame.f_back
    return tuple(reversed(names))
