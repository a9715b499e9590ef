"""How long work says how far it is: a callable of (done, total) that any stage may be given."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with the units done so far and the total; may be called often and must be cheap."""


def silent(done: int, total: int) -> None:
    """Report nothing."""
    del done, total
