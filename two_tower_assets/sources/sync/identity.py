"""Refusing to copy a database onto itself."""

from __future__ import annotations

from two_tower_assets.errors import SourceDataError


def refuse_same(source: str, target: str, label: str) -> None:
    """Raise when both identities are of one database (`two_tower.database_identity` in SQL).

    Raises:
        SourceDataError: they are.
    """
    if source == target:
        raise SourceDataError(
            "The source is the very database that its rows would be copied into",
            where=label,
            remedy="Learn from the rows in place (TWO_TOWER_SOURCE=postgres), or let TWO_TOWER_DATABASE_URL name "
            "another database; without it the embedded one is used.",
        )
