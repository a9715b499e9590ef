"""Waiting out passing faults: busy servers, server errors, timeouts and broken connections; never a refusal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import stamina

from two_tower_assets.storage.bucket import AlreadyStored, Patience, Unavailable

T = TypeVar("T")

_LONGEST_ASKED_WAIT: Final = 60.0


def patiently(call: Callable[[], T], patience: Patience) -> T:
    """Call, and call again while `Unavailable` is raised and patience lasts.

    Raises:
        Unavailable: the last one.
    """
    caller = stamina.RetryingCaller(
        attempts=patience.attempts,
        timeout=patience.seconds,
        wait_initial=patience.first_wait,
        wait_max=patience.longest_wait,
        wait_jitter=patience.first_wait,
    )
    return caller(_worth_a_retry, call)


def create_patiently(create: Callable[[], None], arrived: Callable[[], bool], patience: Patience) -> None:
    """Create a file with retries, knowing its own success again when only the reply to it was lost.

    Args:
        create: sends the file; raises `AlreadyStored` when the path exists.
        arrived: whether the path holds exactly the bytes that `create` sends.
        patience: how long to try.

    Raises:
        AlreadyStored: the path existed before, or holds other bytes.
        Unavailable: patience ran out.
    """
    again = False

    def attempt() -> None:
        nonlocal again
        # Asked before sending again as well: a server that has the file may refuse without reading what is sent,
        # and then sending ends in the same timeout each time.
        if again and arrived():
            return
        second, again = again, True
        try:
            create()
        except AlreadyStored:
            # A slow server may have finished the earlier attempt in between.
            if not (second and arrived()):
                raise

    patiently(attempt, patience)


def _worth_a_retry(error: Exception) -> bool | float:
    if not isinstance(error, Unavailable):
        return False
    return True if error.retry_after is None else min(error.retry_after, _LONGEST_ASKED_WAIT)
