"""A figure as PNG bytes, small enough for Dagster's event log."""

from __future__ import annotations

import io
from typing import Final

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

MAX_BYTES: Final = 100_000
"""Larger images would bloat the event log they are stored in."""


def png(figure: Figure) -> bytes:
    """Draw on an Agg canvas of the figure's own; pyplot's global state is never touched."""
    stream = io.BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png")
    image = stream.getvalue()
    assert len(image) < MAX_BYTES
    return image
