"""Releases as people look at them: what the registry knows, who did it, how large it is, how it was judged.

Evidence is read as it was kept, whatever version of this package kept it. What does not live here: what publishing
itself asks of the registry (`registry`, `evidence`), and tables for the terminal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import errors, sql
from psycopg.rows import class_row

from two_tower_assets.database.connection import connect, without_password
from two_tower_assets.database.queries import query
from two_tower_assets.errors import PublishingError
from two_tower_assets.publishing.registry import State, read_live
from two_tower_assets.publishing.writer import Connection

HEADLINES: Final = ("recall@200", "ndcg@10")
"""Metrics of the evaluation that a list of releases shows."""

_NAMED: Final = 5
_MAKE_ONE: Final = "Make a release: `two-tower run`."


@dataclass(frozen=True)
class ReleaseDetails:
    """A release with everything that the serving database knows of it."""

    model_version: str
    state: State
    manifest_hash: str | None
    artifact_prefix: str | None
    metrics: dict[str, Any]
    """As it was kept; `evidence` is its part for people."""
    created_at: datetime
    created_by: str
    verified_at: datetime | None
    activated_at: datetime | None
    """When it went live last."""
    previous_version: str | None
    vector_table: str | None
    """Qualified name; null once the vectors were dropped."""
    video_count: int | None
    activated_by: str | None
    """Who made it live last."""
    user_count: int | None
    """User vectors of this version; null once they were dropped."""
    table_bytes: int | None
    index_bytes: int | None

    @property
    def is_live(self) -> bool:
        """Whether clients read this version."""
        return self.state == "live"

    @property
    def who(self) -> str:
        """Who made it live last, else who prepared it."""
        return self.activated_by or self.created_by

    @property
    def total_bytes(self) -> int | None:
        """Size of the video vectors with their indexes."""
        return None if self.table_bytes is None or self.index_bytes is None else self.table_bytes + self.index_bytes

    @property
    def evidence(self) -> dict[str, Any]:
        """What was shown before it could go live; empty when it never was."""
        return _table(self.metrics, "evidence")

    @property
    def evaluation(self) -> dict[str, Any]:
        """The gate's verdict and figures; empty when there is no evidence."""
        return _table(self.evidence, "evaluation")

    @property
    def figures(self) -> dict[str, float]:
        """Metrics of the evaluation on its test window."""
        return {name: float(value) for name, value in _table(self.evaluation, "metrics").items()}

    @property
    def recipe(self) -> dict[str, Any]:
        """Settings that made it, by dotted key; empty when none were kept."""
        return dict(flatten(_table(self.evaluation, "recipe")))


@dataclass(frozen=True)
class LogEntry:
    """A move of the live pointer."""

    at: datetime
    action: str
    from_version: str | None
    to_version: str
    by_whom: str
    note: str | None


@dataclass(frozen=True)
class VideoChanges:
    """How many videos have a vector in one version and not in the other."""

    gained: int
    lost: int
    shared: int


def list_details(url: str) -> tuple[ReleaseDetails, ...]:
    """Every release, newest version first.

    Raises:
        PublishingError: the database was never made ready for releases.
        DatabaseError: there is no connection.
    """
    with _reading(url) as connection:
        return _details(connection, None)


def find_details(url: str, model_version: str | None = None) -> ReleaseDetails:
    """One release; by default the live one.

    Raises:
        PublishingError: there is no such release, nothing is live, or the database was never made ready.
        DatabaseError: there is no connection.
    """
    with _reading(url) as connection:
        return _find(connection, model_version, url)


def read_log(url: str, model_version: str) -> tuple[LogEntry, ...]:
    """The flips to and from a version, oldest first; errors as `list_details`."""
    with _reading(url) as connection, connection.cursor(row_factory=class_row(LogEntry)) as cursor:
        return tuple(cursor.execute(query("release_log"), {"model_version": model_version}).fetchall())


def compare_videos(url: str, before: ReleaseDetails, after: ReleaseDetails) -> VideoChanges | None:
    """Compare the videos of two versions; None when the vectors of one of them were dropped.

    Raises:
        PublishingError: as `list_details`.
        DatabaseError: there is no connection.
    """
    if before.vector_table is None or after.vector_table is None:
        return None
    statement = sql.SQL(
        """
        select
          count(*) filter (where b.video_id is null),
          count(*) filter (where a.video_id is null),
          count(*) filter (where a.video_id = b.video_id)
        from {before} as b
        full join {after} as a using (video_id)
        """
    ).format(
        before=sql.Identifier(*before.vector_table.split(".")), after=sql.Identifier(*after.vector_table.split("."))
    )
    with _reading(url) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return VideoChanges(gained=row[0], lost=row[1], shared=row[2])


def flatten(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Yield (dotted key, value) of every leaf of nested dictionaries; an empty dictionary is a leaf below the top."""
    if isinstance(value, Mapping) and (value or not key):
        for name, inner in value.items():
            yield from flatten(inner, f"{key}.{name}" if key else str(name))
    else:
        yield key, value


@contextmanager
def _reading(url: str) -> Iterator[Connection]:
    with connect(url, autocommit=True) as connection:
        try:
            yield connection
        except (errors.UndefinedTable, errors.UndefinedColumn, errors.InvalidSchemaName):
            raise PublishingError(
                "This database knows nothing of releases",
                where=without_password(url),
                remedy=f"Bring it up to date (`two-tower migrate`). {_MAKE_ONE}",
            ) from None


def _details(connection: Connection, model_version: str | None) -> tuple[ReleaseDetails, ...]:
    with connection.cursor(row_factory=class_row(ReleaseDetails)) as cursor:
        return tuple(cursor.execute(query("release_details"), {"model_version": model_version}).fetchall())


def _find(connection: Connection, model_version: str | None, url: str) -> ReleaseDetails:
    if model_version is None:
        live = read_live(connection)
        if live is None:
            raise PublishingError("No release is live", where=without_password(url), remedy=_MAKE_ONE)
        model_version = live.model_version
    found = next(iter(_details(connection, model_version)), None)
    if found is None:
        raise PublishingError(
            f"There is no release {model_version}", where=without_password(url), remedy=_others(connection)
        )
    return found


def _others(connection: Connection) -> str:
    known = [release.model_version for release in _details(connection, None)]
    if not known:
        return f"There is none at all. {_MAKE_ONE}"
    more = ", …" if len(known) > _NAMED else ""
    return f"Name one of {', '.join(known[:_NAMED])}{more} (`two-tower releases` lists all)."


def _table(value: Mapping[str, Any], key: str) -> dict[str, Any]:
    inner = value.get(key)
    return dict(inner) if isinstance(inner, Mapping) else {}
