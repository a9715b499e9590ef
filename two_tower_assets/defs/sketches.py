"""Small line plots for the asset's own page: SVG inside Markdown, short enough to be shown without a click.

The UI draws Markdown of up to 999 characters on the page and hides anything longer behind a link; larger plots, with
axes, are `evaluation.plots`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

MOST_CHARACTERS: Final = 999
"""Longest Markdown that the UI shows on the page itself."""

_WIDTH: Final = 400
_HEIGHT: Final = 90
_TOP: Final = 20
_BOTTOM: Final = 70
_POINTS: Final = 44
"""Of all lines together at most; steep ones get fewer."""
_COLOURS: Final = ("#1f6feb", "#d1242f")
_LOOK: Final = f'width="{_WIDTH}" height="{_HEIGHT}" font-family="sans-serif" font-size="11" fill="#888"'

Points = Sequence[tuple[float, float]]
"""(x, y), x ascending."""


def sketch(lines: Mapping[str, Points], *, start: str, end: str) -> str:
    """Return Markdown with one or two lines over a common range, or say that there is no point.

    Many points become means of neighbours.

    Args:
        lines: name to its points.
        start: what stands under the first x.
        end: what stands under the last x.
    """
    assert 0 < len(lines) <= len(_COLOURS)
    measured = {name: points for name, points in lines.items() if points}
    if not measured:
        return "nothing was measured"
    # How long a line is written depends on how steep it is: fewer points, until it is short enough.
    return next(
        markdown
        for most in range(_POINTS // len(lines), 1, -1)
        if len(markdown := _drawn(measured, most, start, end)) <= MOST_CHARACTERS
    )


def _drawn(measured: Mapping[str, Points], most: int, start: str, end: str) -> str:
    """Return Markdown with at most so many points a line."""
    drawn = {name: _thinned(points, most) for name, points in measured.items()}
    shapes = "".join((*_labels(drawn, start, end), *_paths(drawn)))
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" {_LOOK}>{shapes}</svg>'
    image = base64.b64encode(svg.encode()).decode()
    return f"![{' and '.join(drawn)}](data:image/svg+xml;base64,{image})"


def _thinned(points: Points, most: int) -> NDArray[np.float64]:
    """Return float64 [at most `most`, 2]."""
    whole = np.asarray(points, np.float64)
    return np.array([part.mean(axis=0) for part in np.array_split(whole, min(most, len(whole)))])


def _paths(drawn: Mapping[str, NDArray[np.float64]]) -> Iterator[str]:
    together = np.concatenate(list(drawn.values()))
    low, span = together.min(axis=0), np.ptp(together, axis=0)
    span[span == 0] = 1.0
    for colour, points in zip(_COLOURS, drawn.values(), strict=False):
        shares = (points - low) / span
        places = np.rint(shares * (_WIDTH, _TOP - _BOTTOM) + (0, _BOTTOM)).astype(int)
        moves = np.concatenate((places[:1], np.diff(places, axis=0)))
        way = " ".join(f"{x}{y:+d}" for x, y in moves)
        yield f'<path d="m{way}" fill="none" stroke="{colour}"/>'


def _labels(drawn: Mapping[str, NDArray[np.float64]], start: str, end: str) -> Iterator[str]:
    """Highest and lowest value of what is drawn, both ends of x, and the lines' names in their colours."""
    values = np.concatenate([points[:, 1] for points in drawn.values()])
    yield _text(0, _TOP - 9, f"{values.max():.4g}")
    yield _text(0, _BOTTOM + 15, f"{start}: low {values.min():.4g}")
    yield _text(_WIDTH, _BOTTOM + 15, end, "end")
    for at, (colour, name) in enumerate(zip(_COLOURS, drawn, strict=False)):
        yield _text(_WIDTH - 60 * at, _TOP - 9, name, "end", colour)


def _text(x: int, y: int, text: str, anchor: str = "", colour: str = "") -> str:
    more = (f' text-anchor="{anchor}"' if anchor else "") + (f' fill="{colour}"' if colour else "")
    return f'<text x="{x}" y="{y}"{more}>{text}</text>'
