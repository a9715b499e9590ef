"""How tuning searches a setting: said in the annotation of the setting itself, so that there is no second list.

What does not live here: how a point is drawn and measured (`tuning`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Between:
    """Any number of a range, both ends included; whole ones where both ends are whole.

    Of a setting that is a list, one such number alone is tried.
    """

    low: float
    high: float
    log: bool = False
    """Each doubling is as likely as the next."""
    preset: str | None = None
    """The preset of the features without which the setting counts for nothing."""


@dataclass(frozen=True)
class OneOf:
    """One of a few values."""

    options: tuple[Any, ...]
    preset: str | None = None
    """As in `Between`."""


Searched = Between | OneOf
