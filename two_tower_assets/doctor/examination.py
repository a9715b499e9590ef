"""Looking at everything at once, each look with a time limit, so that one that fails or hangs hides no other.

What does not live here: the looks themselves, and printing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

from two_tower_assets.doctor.finding import Finding, problem
from two_tower_assets.errors import TwoTowerError

T = TypeVar("T")

LOOK_SECONDS: Final = 30.0
FIX_SECONDS: Final = 300.0


@dataclass(frozen=True)
class Check:
    """One thing to look at."""

    name: str
    look: Callable[[], Iterable[Finding]]


def examine(
    checks: Sequence[Check], *, fix: bool = False, seconds: float = LOOK_SECONDS
) -> Iterator[tuple[str, Finding]]:
    """Make all looks side by side, and yield their names and findings in the order of the checks.

    Args:
        checks: what to look at.
        fix: whether to mend what can be mended safely; one thing after another.
        seconds: longest time of a look, from now on.
    """
    deadline = time.monotonic() + seconds
    looks = [_Background(lambda check=check: list(check.look())) for check in checks]  # type: ignore[misc]
    for check, look in zip(checks, looks, strict=True):
        for finding in _findings(look, deadline, seconds):
            yield check.name, _mended(finding) if fix else finding


class _Background(Generic[T]):
    """Work in a thread that the process does not wait for when it ends."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._result: T | None = None
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def result(self, deadline: float) -> T:
        """Return what the work gives, or raise what it raises; `TimeoutError` when it is not done by then."""
        self._thread.join(max(0.0, deadline - time.monotonic()))
        if self._thread.is_alive():
            raise TimeoutError
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def _run(self) -> None:
        try:
            self._result = self._work()
        except Exception as error:  # noqa: BLE001 - told by whoever waits
            self._error = error


def _findings(look: _Background[list[Finding]], deadline: float, seconds: float) -> list[Finding]:
    try:
        return look.result(deadline)
    except TimeoutError:
        return [problem(f"no answer within {seconds:g} s", remedy="See whether what it asks is up and reachable.")]
    except TwoTowerError as error:
        return [problem(error.what, where=error.where, remedy=error.remedy)]
    except Exception as error:  # noqa: BLE001 - a look that breaks must not end the others; no text, for secrets
        told = f"the look itself broke: {type(error).__name__}"
        return [problem(told, remedy="Report it with the command that you ran; the other findings hold.")]


def _mended(finding: Finding) -> Finding:
    if finding.fix is None:
        return finding
    fixing = _Background(finding.fix)
    try:
        return replace(finding, level="ok", done=fixing.result(time.monotonic() + FIX_SECONDS))
    except TimeoutError:
        return replace(finding, done=f"not mended within {FIX_SECONDS:g} s")
    except TwoTowerError as error:
        return replace(finding, done=f"could not be mended: {error.what}")
