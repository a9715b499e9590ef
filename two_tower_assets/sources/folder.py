"""A folder of parquet or CSV files in the contract's columns, read and validated.

The files are named after their tables: `videos`, `user_video_decisions`, and, when there is one, `profiles`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl
from polars.exceptions import PolarsError

from two_tower_assets.contract import Tables
from two_tower_assets.errors import SourceDataError
from two_tower_assets.sources.tables import DECISIONS, PROFILES, VIDEOS, SourceTables, validated

_ROWS_A_BLOCK: Final = 1 << 18

SUFFIXES: Final = (".parquet", ".csv")

_COLUMNS: Final = {Tables.VIDEOS: VIDEOS, Tables.PROFILES: PROFILES, Tables.DECISIONS: DECISIONS}


def read_folder(folder: Path, *, now: datetime | None = None) -> SourceTables:
    """Read and validate the tables in `folder`.

    Args:
        folder: holds `videos` and `user_video_decisions`, perhaps `profiles`, each as `.parquet` or `.csv`.
        now: decisions later than this are left out; default: the clock.

    Raises:
        SourceDataError: a file is missing, double or unreadable, or its rows break the contract (see `validated`).
    """
    files = {table: file for table in _COLUMNS if (file := _file_of(folder, table)) is not None}
    frames = {table: _read(file, table) for table, file in files.items() if table != Tables.DECISIONS}
    for table in (Tables.VIDEOS, Tables.DECISIONS):
        if table not in files:
            raise SourceDataError(
                f"There is no file with the table {table}",
                where=str(folder),
                remedy=f"Add {table}.parquet or {table}.csv with the contract's columns.",
            )
    return validated(
        videos=frames[Tables.VIDEOS],
        profiles=frames.get(Tables.PROFILES),
        decisions=_blocks(files[Tables.DECISIONS], Tables.DECISIONS),
        files={table: str(file) for table, file in files.items()},
        now=now,
    )


def _file_of(folder: Path, table: str) -> Path | None:
    found = [path for suffix in SUFFIXES if (path := folder / f"{table}{suffix}").exists()]
    if len(found) > 1:
        raise SourceDataError(
            f"The table {table} is there twice: {' and '.join(path.name for path in found)}",
            where=str(folder),
            remedy="Remove one of them.",
        )
    return found[0] if found else None


def _read(file: Path, table: str) -> pl.DataFrame:
    with _unreadable(file):
        return _known(file, table).collect()


def _blocks(file: Path, table: str) -> Iterator[pl.DataFrame]:
    """Read a file that may be larger than the memory, one block without rows first."""
    with _unreadable(file):
        rows = _known(file, table)
        yield rows.head(0).collect()
        yield from rows.collect_batches(chunk_size=_ROWS_A_BLOCK, maintain_order=True)


def _known(file: Path, table: str) -> pl.LazyFrame:
    """Keep the columns that mean something here; whatever else a file holds is not looked at."""
    # Nothing is inferred from CSV: what a column is, the contract says.
    rows = pl.scan_parquet(file) if file.suffix == ".parquet" else pl.scan_csv(file, infer_schema=False)
    present = rows.collect_schema().names()
    # A table without any known column goes on with all of its own, for the error that lists them.
    return rows.select([name for name in present if name in _COLUMNS[table]] or present)


@contextmanager
def _unreadable(file: Path) -> Iterator[None]:
    try:
        yield
    except (PolarsError, OSError) as error:
        raise SourceDataError(
            f"The file cannot be read: {error}", where=str(file), remedy="Write it again as parquet or UTF-8 CSV."
        ) from None
