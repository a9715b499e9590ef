"""The figures that are compared with the training snapshot: of what, in which bins, and by which measure.

A new figure is a row of `FIGURES`. What does not live here: how the columns come about (`observed`), and when a
figure has drifted (`judging`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from two_tower_assets.contract import USER_NUMERIC
from two_tower_assets.monitoring.bins import Kind
from two_tower_assets.monitoring.divergence import Shares, difference, jensen_shannon, psi

Table = Literal["decisions", "users", "catalogue"]
"""Rows that a figure is of: decisions of a window, users who decided in it, active videos at its end."""
Family = Literal["features", "vocabulary", "decisions", "catalogue"]
Measure = Literal["psi", "jensen_shannon", "difference"]

MEASURES: Final[Mapping[Measure, str]] = {
    "psi": "PSI",
    "jensen_shannon": "Jensen–Shannon",
    "difference": "difference of shares",
}

_KINDS: Final[Mapping[Kind, Measure]] = {
    "numbers": "psi",
    "words": "jensen_shannon",
    "names": "jensen_shannon",
    "truths": "difference",
}
_FUNCTIONS: Final = {"psi": psi, "jensen_shannon": jensen_shannon, "difference": difference}


@dataclass(frozen=True)
class Figure:
    """One figure."""

    name: str
    """As people read it."""
    family: Family
    table: Table
    column: str
    """Of the table's rows, as `observed` gives them."""
    kind: Kind
    vocabulary: Literal["tags", "performers"] | None = None
    """Of names: the model's vocabulary."""

    @property
    def key(self) -> str:
        """Unique, stable, stored with the reference."""
        return f"{self.table}.{self.column}.{self.kind}"

    @property
    def measure(self) -> Measure:
        """How two distributions of it are compared."""
        return _KINDS[self.kind]

    def distance(self, reference: Shares, current: Shares) -> Shares:
        """Compare shares [..., K] with others."""
        return _FUNCTIONS[self.measure](reference, current)


FIGURES: Final = (
    Figure("kinds of decisions", "decisions", "decisions", "kind", "words"),
    Figure("decision types and surfaces", "decisions", "decisions", "decision_type", "words"),
    Figure("share of LIKEs", "decisions", "decisions", "is_like", "truths"),
    Figure("hour of decisions", "decisions", "decisions", "hour", "words"),
    Figure("decisions on videos that are gone", "decisions", "decisions", "is_gone", "truths"),
    Figure("price of what is decided on", "features", "decisions", "price", "numbers"),
    Figure("length of what is decided on", "features", "decisions", "duration_seconds", "numbers"),
    Figure("age of what is decided on", "features", "decisions", "age_days", "numbers"),
    Figure("missing price of what is decided on", "features", "decisions", "price_is_missing", "truths"),
    Figure("missing length of what is decided on", "features", "decisions", "duration_is_missing", "truths"),
    Figure("missing release date of what is decided on", "features", "decisions", "release_is_missing", "truths"),
    Figure("tags of what is decided on", "vocabulary", "decisions", "tags", "names", "tags"),
    Figure("unknown tags of what is decided on", "vocabulary", "decisions", "tags", "truths", "tags"),
    Figure(
        "unknown performers of what is decided on", "vocabulary", "decisions", "performers", "truths", "performers"
    ),
    *(
        Figure(f"users' {name.replace('_', ' ')}", "features", "users", name, "numbers")
        for name in (*USER_NUMERIC, "average_like_hour")
    ),
    Figure("price of the catalogue", "catalogue", "catalogue", "price", "numbers"),
    Figure("length of the catalogue", "catalogue", "catalogue", "duration_seconds", "numbers"),
    Figure("age of the catalogue", "catalogue", "catalogue", "age_days", "numbers"),
    Figure("missing price in the catalogue", "catalogue", "catalogue", "price_is_missing", "truths"),
    Figure("missing length in the catalogue", "catalogue", "catalogue", "duration_is_missing", "truths"),
    Figure("missing release date in the catalogue", "catalogue", "catalogue", "release_is_missing", "truths"),
    Figure("videos without a tag in the catalogue", "catalogue", "catalogue", "has_no_tag", "truths"),
    Figure("tags of the catalogue", "vocabulary", "catalogue", "tags", "names", "tags"),
    Figure("unknown tags in the catalogue", "vocabulary", "catalogue", "tags", "truths", "tags"),
    Figure("unknown performers in the catalogue", "vocabulary", "catalogue", "performers", "truths", "performers"),
)
"""In the order in which they are shown."""
