"""One line of the benchmark table, and the table as text. What is measured lives in the module of its stage."""

from __future__ import annotations

from dataclasses import dataclass


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


def as_table(lines: list[Line]) -> str:
    """Render lines as a markdown table."""
    header = ("stage", "what", "reached", "against", "ratio", "target", "")
    rows = [
        (x.stage, x.what, x.figure, x.against, f"{x.ratio:.2f}", x.target, "met" if x.met else "MISSED")
        for x in lines
    ]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    divider = tuple("-" * width for width in widths)
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |"
        for row in [header, divider, *rows]
    )
