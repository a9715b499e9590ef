"""What the tests saw, printed before pytest's closing line: figures that a test notes, and cells that it counts.

A test notes a figure with `record_property(SEEN, "…")` and counts itself into a matrix with
`record_property(CELL, "name of the matrix")`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

SEEN = "seen"
CELL = "cell"


def summary(passed: Iterable[pytest.TestReport], failed: Iterable[pytest.TestReport]) -> Iterator[str]:
    """Yield a line for each figure noted and for each matrix counted."""
    good, bad = list(passed), list(failed)
    yield from sorted({text for report in good for text in _noted(report, SEEN)})
    held, broken = (Counter(name for report in some for name in _noted(report, CELL)) for some in (good, bad))
    for name in sorted(held | broken):
        yield f"{name}: {held[name]} of {held[name] + broken[name]} cells as declared"


def _noted(report: pytest.TestReport, kind: str) -> Iterator[str]:
    return (str(value) for name, value in report.user_properties if name == kind)
