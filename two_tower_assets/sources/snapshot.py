"""A snapshot: the three tables as they stood in one moment, frozen as sorted parquet under a name of their content.

Reading happens in one repeatable-read transaction, so the tables belong together. Unchanged rows give the same
name, and then the folder that is there is returned. What does not live here: how decisions are read fast
(`decision_copy`), and how rows got into Postgres (`load`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import psycopg

from two_tower_assets.contract import Tables
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.errors import MissingAssetError, SourceDataError
from two_tower_assets.home import write_text
from two_tower_assets.progress import Progress, silent
from two_tower_assets.sources.canonical import Canonical
from two_tower_assets.sources.coerce import TEXTS, UTC_TIME
from two_tower_assets.sources.copying import copy_out
from two_tower_assets.sources.decision_copy import Counted, copy_decisions, count_decisions
from two_tower_assets.sources.decision_log import DecisionLog
from two_tower_assets.sources.requirements import database_errors, require_tables

FORMAT: Final = 1
"""Raised when the files or the hash change their meaning, so that older folders are not taken for equal."""

PROFILES_FILE: Final = "profiles.parquet"
VIDEOS_FILE: Final = "videos.parquet"
DECISIONS_FILE: Final = "decisions.parquet"
FACTS_FILE: Final = "snapshot.json"

PROFILES: Final[Mapping[str, pl.DataType]] = {"user_id": pl.String(), "created_at": UTC_TIME}
VIDEOS: Final[Mapping[str, pl.DataType]] = {
    "id": pl.String(),
    "title": pl.String(),
    "maker": pl.String(),
    "price": pl.Float64(),
    "duration_seconds": pl.Int32(),
    "product_released_at": UTC_TIME,
    "distribution_started_at": UTC_TIME,
    "created_at": UTC_TIME,
    "safety_level": pl.Int16(),
    "region_codes": TEXTS,
    "is_active": pl.Boolean(),
    "tags": TEXTS,
    "performers": TEXTS,
}


@dataclass(frozen=True)
class TableFacts:
    """What is known of one table of a snapshot without reading it."""

    rows: int
    content_hash: str
    """Hex SHA-256 of the values, the same for any physical order of the rows."""
    left_out: Mapping[str, int]
    """Rows that are in the database and not in the snapshot, by reason."""


@dataclass(frozen=True)
class Snapshot:
    """A folder with the three tables; nothing in it ever changes."""

    folder: Path
    cutoff: datetime
    """Decisions are those strictly before this moment."""
    content_hash: str
    tables: Mapping[str, TableFacts]
    """By table name, as in `contract.Tables`."""

    def profiles(self) -> pl.LazyFrame:
        """`user_id` text, `created_at` UTC microseconds or null; sorted by `user_id`."""
        return pl.scan_parquet(self.folder / PROFILES_FILE)

    def videos(self) -> pl.LazyFrame:
        """The columns of `VIDEOS`, sorted by `id`; lists of names are sorted and repeat a name as the RPCs do."""
        return pl.scan_parquet(self.folder / VIDEOS_FILE)

    def decisions(self) -> pl.LazyFrame:
        """`user_id`, `video_id`, `decision_type` text, `created_at` UTC microseconds; sorted by user, time, video."""
        return pl.scan_parquet(self.folder / DECISIONS_FILE)


def take_snapshot(
    url: str, snapshots: Path, *, cutoff: datetime | None = None, progress: Progress = silent
) -> Snapshot:
    """Freeze the tables of the database at `url` into `snapshots/<id>/`, or return the folder that holds the same.

    Args:
        url: the Postgres that holds the rows.
        snapshots: the folder of all snapshots; made when missing.
        cutoff: only decisions strictly before this; default: one microsecond after the last decision so far.
        progress: told the decisions copied so far and their number.

    Raises:
        DatabaseError: the database cannot be reached, or lacks a table or a column.
        SourceDataError: there is no video, or no decision before the cut-off.
    """
    with connect(url) as connection, database_errors("The tables could not be read"):
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        require_tables(connection)
        counted = _counted(connection, cutoff)
        copied = copy_decisions(connection, counted, progress)
        with ThreadPoolExecutor(1) as beside:
            decisions = beside.submit(copied.sorted)
            profiles = _read(connection, "snapshot_profiles", PROFILES).sort("user_id")
            videos = _read(connection, "snapshot_videos", VIDEOS).sort("id")
    return _stored(snapshots, profiles, videos, decisions.result(), counted)


def open_snapshot(folder: Path) -> Snapshot:
    """Open a snapshot that was taken before.

    Raises:
        MissingAssetError: the folder or one of its files is gone.
    """
    if missing := _missing(folder):
        raise MissingAssetError(
            f"The snapshot lacks {', '.join(missing)}", where=str(folder), remedy="Materialize the sources again."
        )
    facts = json.loads((folder / FACTS_FILE).read_text(encoding="utf-8"))
    return Snapshot(
        folder=folder,
        cutoff=datetime.fromisoformat(facts["cutoff"]),
        content_hash=facts["content_hash"],
        tables={name: TableFacts(**table) for name, table in facts["tables"].items()},
    )


def _missing(folder: Path) -> list[str]:
    files = (FACTS_FILE, PROFILES_FILE, VIDEOS_FILE, DECISIONS_FILE)
    return [name for name in files if not (folder / name).exists()]


def _counted(connection: psycopg.Connection[Any], cutoff: datetime | None) -> Counted:
    counted = count_decisions(connection, cutoff)
    if counted is None or counted.rows == 0:
        raise SourceDataError(
            "There is no decision to learn from" + (f" before {cutoff.isoformat()}" if cutoff else ""),
            where=Tables.DECISIONS,
            remedy="Load decisions with a type and a time that is not in the future.",
        )
    return counted


def _read(connection: psycopg.Connection[Any], name: str, schema: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Read a query of one JSON object a row; quote and delimiter are control characters, which JSON never holds."""
    statement = rf"copy ({query(name)}) to stdout (format csv, quote e'\x01', delimiter e'\x02')"
    lines = b"".join(copy_out(connection, statement))
    # Polars' reader knows 64-bit integers only; times travel as such too.
    wire = {name: pl.Int64() if kind == UTC_TIME or kind.is_integer() else kind for name, kind in schema.items()}
    if not lines:
        return pl.DataFrame(schema=dict(schema))
    return pl.read_ndjson(lines, schema=wire).cast(dict(schema))  # type: ignore[arg-type]


def _stored(
    snapshots: Path, profiles: pl.DataFrame, videos: pl.DataFrame, decisions: DecisionLog, counted: Counted
) -> Snapshot:
    tables = {
        Tables.PROFILES: TableFacts(profiles.height, _hash(profiles, "user_id"), {}),
        Tables.VIDEOS: TableFacts(videos.height, _hash(videos, "id"), {}),
        Tables.DECISIONS: TableFacts(counted.rows, decisions.content_hash(), dict(counted.left_out)),
    }
    content_hash = _hash_of_all(counted.cutoff, tables)
    folder = snapshots / content_hash[:16]
    if not _missing(folder):
        return open_snapshot(folder)
    # What somebody deleted files from is of no use any more.
    shutil.rmtree(folder, ignore_errors=True)
    snapshots.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", suffix=".partial", dir=snapshots))
    try:
        profiles.write_parquet(partial / PROFILES_FILE)
        videos.write_parquet(partial / VIDEOS_FILE)
        decisions.write(partial / DECISIONS_FILE)
        write_text(partial / FACTS_FILE, _facts_text(counted.cutoff, content_hash, tables))
        partial.chmod(0o755)
        _rename(partial, folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return open_snapshot(folder)


def _rename(partial: Path, folder: Path) -> None:
    try:
        partial.rename(folder)
    except OSError:
        # Another run froze the same rows meanwhile; its folder holds the same.
        if not folder.exists():
            raise


def _hash(frame: pl.DataFrame, key: str) -> str:
    digest = Canonical()
    digest.frame(frame, by=[key])
    return digest.hexdigest()


def _hash_of_all(cutoff: datetime, tables: Mapping[str, TableFacts]) -> str:
    """Hash of what a reader can see; rows left out are not among it."""
    parts = [str(FORMAT), cutoff.isoformat(), *(tables[name].content_hash for name in sorted(tables))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _facts_text(cutoff: datetime, content_hash: str, tables: Mapping[str, TableFacts]) -> str:
    facts = {
        "format": FORMAT,
        "cutoff": cutoff.isoformat(),
        "content_hash": content_hash,
        "tables": {name: asdict(table) for name, table in tables.items()},
    }
    return json.dumps(facts, indent=2)
