"""Makes the tables of a Postgres equal to a source's, in one transaction, touching only rows that differ.

Each load is recorded, so that the same rows are not loaded twice, and so that rows of another origin are refused
rather than replaced. What does not live here: where the rows come from (`sample`, `folder`), and the tables
themselves (migrations).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
import psycopg
from psycopg.types.json import Jsonb

from two_tower_assets.contract import Tables
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import SourceDataError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.sources.copying import copy_in
from two_tower_assets.sources.requirements import database_errors, require_columns
from two_tower_assets.sources.sync.bare import bare
from two_tower_assets.sources.sync.tables import TABLES
from two_tower_assets.sources.tables import SourceTables

_NAMESPACE: Final = uuid.uuid5(uuid.NAMESPACE_URL, "two-tower-assets")
"""Tags and performers of a source have names only; their ids are made from these, the same everywhere."""

(_DECISIONS,) = (table for table in TABLES if table.name == Tables.DECISIONS)


@dataclass(frozen=True)
class LoadReport:
    """What a load did."""

    source: str
    content_hash: str
    row_counts: Mapping[str, int]
    """Rows of each table of the source."""
    changed: Mapping[str, int]
    """Rows written or deleted, by table; empty when nothing was to do."""
    skipped: bool
    """Whether the database held this very content already."""
    counts: Mapping[str, Mapping[str, int]]
    """What validation left out, mended or noted, by table and reason."""


def load(url: str, tables: SourceTables, *, source: str, progress: Progress = silent) -> LoadReport:
    """Make the database at `url` hold exactly the rows of `tables`.

    Args:
        url: a migrated Postgres whose rows, if any, came from the same source.
        tables: validated rows.
        source: the name of their origin, such as `sample` or the folder.
        progress: told the tables done so far and their number.

    Raises:
        DatabaseError: the database cannot be reached or is not migrated.
        SourceDataError: it holds rows that did not come from `source`; nothing was changed.
    """
    content_hash = tables.content_hash()
    staged = _staged(tables)
    row_counts = {name: frame.height for name, frame in staged.items()}
    with connect(url) as connection, database_errors("The rows could not be loaded"):
        require_columns(connection)
        connection.execute(query("load_lock"))
        skipped = require_source(connection, source) == content_hash
        changed = {} if skipped else _replace(connection, staged, progress)
        if not skipped:
            record = {"source": source, "content_hash": content_hash, "row_counts": Jsonb(row_counts)}
            connection.execute(query("load_record"), record)
    return LoadReport(source, content_hash, row_counts, changed, skipped=skipped, counts=tables.counts)


def _replace(
    connection: psycopg.Connection[Any], staged: Mapping[str, pl.DataFrame], progress: Progress
) -> dict[str, int]:
    connection.execute(query("load_stage"))
    changed: dict[str, int] = {}
    for done, (name, frame) in enumerate(staged.items(), start=1):
        changed[name] = _filled(connection, name, frame) or _made_equal(connection, name, frame)
        progress(done, len(staged))
    return changed


def _filled(connection: psycopg.Connection[Any], name: str, frame: pl.DataFrame) -> int:
    """Copy decisions straight into their table, its indexes made afterwards, where it is empty; 0 where not."""
    if name != Tables.DECISIONS or _has_rows(connection, name):
        return 0
    with bare(connection, _DECISIONS):
        copy_in(connection, f"public.{name}", frame)
    return frame.height


def _made_equal(connection: psycopg.Connection[Any], name: str, frame: pl.DataFrame) -> int:
    copy_in(connection, f"staged_{name}", frame)
    connection.execute(f"analyze staged_{name}".encode())
    return _changed(connection, query(f"load_{name}"))


def require_source(connection: psycopg.Connection[Any], source: str) -> str | None:
    """Refuse a database whose rows are not this source's to change; returns the content hash of its last load.

    Raises:
        SourceDataError: the rows came from another source, or from none that is known.
    """
    last = connection.execute(query("load_last")).fetchone()
    if last is None:
        _refuse_rows_of_nobody(connection)
        return None
    if last[0] != source:
        raise SourceDataError(
            f"The database holds rows of another source ({last[0]}); loading {source} would replace them",
            where="two_tower.loads",
            remedy="Use another database (TWO_TOWER_DATABASE_URL) or another TWO_TOWER_HOME for this source.",
        )
    return str(last[1])


def _refuse_rows_of_nobody(connection: psycopg.Connection[Any]) -> None:
    for table in (Tables.VIDEOS, Tables.PROFILES, Tables.DECISIONS):
        if _has_rows(connection, table):
            raise SourceDataError(
                "The database already holds rows that no source put there; loading would replace them",
                where=f"public.{table}",
                remedy='Learn from these rows (settings: source.kind = "postgres"), or use an empty database.',
            )


def _has_rows(connection: psycopg.Connection[Any], table: str) -> bool:
    return connection.execute(query("source_has_rows").format(table=table).encode()).fetchone() == (True,)


def _changed(connection: psycopg.Connection[Any], statements: str) -> int:
    """Run the statements of one table and add up the rows they touched."""
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute(statements.encode())
        while True:
            rows += max(cursor.rowcount, 0)
            if not cursor.nextset():
                return rows


def _staged(tables: SourceTables) -> dict[str, pl.DataFrame]:
    """Frames by table, in the order in which they are made equal (what is pointed at comes first)."""
    tags = _names(tables.videos["tags"])
    groups = _groups(tables.tag_groups, tags)
    performers = _names(tables.videos["performers"])
    return {
        Tables.VIDEOS: tables.videos.drop("tags", "performers"),
        Tables.PROFILES: tables.profiles,
        "tag_groups": _identified(groups["tag_group"].drop_nulls().unique(), "tag_group"),
        Tables.TAGS: _grouped(_identified(tags, "tag"), groups),
        Tables.VIDEO_TAGS: _links(tables.videos, "tags", _identified(tags, "tag"), "tag_id"),
        Tables.PERFORMERS: _identified(performers, "performer"),
        Tables.VIDEO_PERFORMERS: _links(
            tables.videos, "performers", _identified(performers, "performer"), "performer_id"
        ),
        Tables.DECISIONS: tables.decisions,
    }


def _names(lists: pl.Series) -> pl.Series:
    return lists.explode(empty_as_null=False).drop_nulls().unique().sort()


def _groups(tag_groups: pl.DataFrame, tags: pl.Series) -> pl.DataFrame:
    return tag_groups.filter(pl.col("tag").is_in(tags.implode())).unique("tag", keep="first", maintain_order=True)


def _identified(names: pl.Series, kind: str) -> pl.DataFrame:
    ids = [str(uuid.uuid5(_NAMESPACE, f"{kind}/{name}")) for name in names]
    return pl.DataFrame({"id": pl.Series(ids, dtype=pl.String), "name": names.cast(pl.String)})


def _grouped(tags: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    group_ids = _identified(groups["tag_group"].drop_nulls().unique(), "tag_group")
    of_tag = groups.join(group_ids, left_on="tag_group", right_on="name", how="left")
    return tags.join(
        of_tag.select(pl.col("tag").alias("name"), pl.col("id").alias("tag_group_id")), on="name", how="left"
    )


def _links(videos: pl.DataFrame, column: str, named: pl.DataFrame, id_column: str) -> pl.DataFrame:
    pairs = videos.select(pl.col("id").alias("video_id"), pl.col(column).alias("name"))
    pairs = pairs.explode("name", empty_as_null=False).drop_nulls("name")
    return pairs.join(named, on="name").select("video_id", pl.col("id").alias(id_column))
