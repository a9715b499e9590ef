"""What a sync asks of the place that it reads from, whichever way it reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from two_tower_assets.sources.sync.ranges import Range, Sums
from two_tower_assets.sources.sync.tables import SyncTable

Key = tuple[str, ...]

FAN_OUT: Final = 4000
"""Ranges of one look where they are hashed: each is a number in one answer."""
FINEST: Final = 25
"""Rows of the smallest ranges where they are hashed."""


@dataclass(frozen=True)
class Page:
    """Consecutive rows of a range, as the source wrote them."""

    rows: int
    last: Key
    """Key of the last row."""
    content: bytes
    """A JSON array, or lines of COPY (text or CSV), in the order of the columns asked for."""
    form: Literal["json", "text", "csv"]
    is_last: bool = False
    """Whether a count of the same moment proves that nothing comes after it."""


class Source(Protocol):
    """A project that is read. Several threads may ask at the same time."""

    @property
    def label(self) -> str:
        """How it is named to people, without any secret."""

    @property
    def way(self) -> str:
        """How it is read, in words."""

    @property
    def limits(self) -> str | None:
        """What this way cannot see, and how to mend that; None when nothing."""

    @property
    def fan_out(self) -> int:
        """Into how many ranges it is sensible to divide a table at once."""

    @property
    def has_hashes(self) -> bool:
        """Whether the sums of ranges have hashes."""

    @property
    def finest(self) -> int:
        """Rows of the smallest ranges that it is sensible to look at."""

    def columns(self, table: SyncTable) -> tuple[str, ...] | None:
        """Columns of a table; None when there is no such table, empty when they cannot be known for want of rows."""

    def count(self, table: SyncTable, within: Range) -> int:
        """Rows of a range."""

    def has_rows(self, table: SyncTable) -> bool:
        """Whether a row of the table can be seen."""

    def sums(self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range]) -> list[Sums]:
        """Counts and, where the way allows, hashes of disjoint ascending ranges."""

    def pages(
        self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range], after: Key | None
    ) -> Iterator[Page]:
        """All rows of disjoint ascending ranges in the order of the key, from after a key on.

        Rows inserted meanwhile may be missed. Only a single range may have a time.
        """

    def require_other_database(self, identity: str) -> None:
        """Refuse to be copied onto itself; `identity` is the copy's."""
