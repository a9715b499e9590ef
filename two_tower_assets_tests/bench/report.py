"""One line of the benchmark table, and the table as text. What is measured lives in the module of its stage."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

_UNITS: Final = {"bytes": "B", "operations": "FLOP", "rows": " rows"}
_PREFIXES: Final = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))
_NONE: Final = "–"


@dataclass(frozen=True)
class Moved:
    """How much work was done."""

    amount: float
    unit: Literal["bytes", "operations", "rows"]
    """Operations are those on floating-point numbers."""


@dataclass(frozen=True)
class Line:
    """A figure beside its floor (or beside the naive way), measured in the same run."""

    stage: str
    what: str
    """What was done, with its size."""
    figure: str
    """What was reached, with its unit."""
    against: str
    """The floor or the naive way and what it reached."""
    ratio: float
    """Figure against floor, in the direction that `target` names."""
    target: str
    """The bound as text, such as `<= 2.0 x` or `>= 0.5 x`."""
    met: bool
    seconds: float | None = field(kw_only=True)
    """What the thing itself took, without its floor; None where it is no matter of time."""
    peak_mib: float | None = field(kw_only=True)
    """Resident memory, MiB, of the process that did it: by how much it grew at its peak or, where it was started
    for nothing else, all of the peak. Not that of database sessions, but where one did all the work. None where it
    was not looked at."""
    moved: Moved | None = field(kw_only=True)
    """What the seconds were spent on; None where nothing is moved, as for the latency of one answer."""


def as_table(lines: list[Line]) -> str:
    """Render lines as a markdown table."""
    header = ("stage", "what", "seconds", "MiB", "moved", "reached", "against", "ratio", "target", "")
    rows = [
        (
            x.stage,
            x.what,
            _seconds(x.seconds),
            _NONE if x.peak_mib is None else f"{x.peak_mib:,.0f}",
            _moved(x.moved, x.seconds),
            x.figure,
            x.against,
            f"{x.ratio:.2f}",
            x.target,
            "met" if x.met else "MISSED",
        )
        for x in lines
    ]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    divider = tuple("-" * width for width in widths)
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [header, divider, *rows]
    )


def with_prefix(moved: Moved) -> str:
    """Tell an amount with its unit: `60 MB`, `5.6 GFLOP`, `50 k rows`."""
    factor, prefix = next(((size, name) for size, name in _PREFIXES if moved.amount >= size), (1.0, ""))
    return f"{moved.amount / factor:.3g} {prefix}{_UNITS[moved.unit]}".replace("  ", " ")


def _moved(moved: Moved | None, seconds: float | None) -> str:
    if moved is None:
        return _NONE
    rate = f", {with_prefix(Moved(moved.amount / seconds, moved.unit))}/s" if seconds else ""
    return with_prefix(moved) + rate


def _seconds(seconds: float | None) -> str:
    if seconds is None:
        return _NONE
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.3g}"
