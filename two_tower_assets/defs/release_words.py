"""How moments, spans of time, sizes and figures are written where people read of releases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

_UNITS: Final = ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"))
_NOTHING: Final = "–"
_HASH_LENGTH: Final = 12


def moment(at: datetime | None) -> str:
    """A moment to the second, in its own time zone."""
    return _NOTHING if at is None else f"{at:%Y-%m-%d %H:%M:%S %Z}".rstrip()


def age(since: datetime | None, now: datetime) -> str:
    """How long ago something was: the two largest units, `3 d 4 h`."""
    return _NOTHING if since is None else duration_of(max(now - since, timedelta(0)))


def duration_of(span: timedelta) -> str:
    """The two largest units of a span, with a minus when it is negative; less than a second is `0 s`."""
    seconds = abs(int(span.total_seconds()))
    for (unit, name), smaller in zip(_UNITS, (*_UNITS[1:], None), strict=True):
        if seconds >= unit or smaller is None:
            rest = (seconds % unit) // smaller[0] if smaller else 0
            text = f"{seconds // unit} {name}" + (f" {rest} {smaller[1]}" if rest and smaller else "")
            return text if span >= timedelta(0) else f"-{text}"
    raise AssertionError


def size(count: int | None) -> str:
    """A number of bytes in a unit that fits."""
    if count is None:
        return _NOTHING
    if count < 1000:
        return f"{count} B"
    for unit, name in ((1000, "kB"), (1000**2, "MB"), (1000**3, "GB")):
        if count < 1000 * unit or name == "GB":
            return f"{count / unit:,.1f} {name}"
    raise AssertionError


def value(found: Any) -> str:
    """A figure or a setting: whole numbers with separators, others to four digits after the point."""
    if found is None or found in ("", [], {}):
        return _NOTHING
    if isinstance(found, bool):
        return "yes" if found else "no"
    if isinstance(found, int):
        return f"{found:,}"
    if isinstance(found, float):
        return f"{found:.4f}" if abs(found) >= 0.001 or not found else f"{found:.2e}"
    return str(found)


def short(digest: str) -> str:
    """The beginning of a hash, enough to tell two apart."""
    return digest[:_HASH_LENGTH]
