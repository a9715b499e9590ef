"""Places of served lists with their chances and what came of them, beside the chances of a candidate."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from two_tower_assets.database.queries import query
from two_tower_assets.errors import ExperimentError
from two_tower_assets.experiments.off_policy import Foretold, Showings
from two_tower_assets.experiments.readout.rows import CLOCK_TOLERANCE, read_now
from two_tower_assets.experiments.registry import Connection

_COLUMNS: Final = ("list_id", "video_id", "chance")
_READERS: Final[Mapping[str, Callable[[Path], pl.DataFrame]]] = {".parquet": pl.read_parquet, ".csv": pl.read_csv}


def read_chances(file: Path) -> pl.DataFrame:
    """Read a candidate's chances: `list_id`, `video_id`, `chance`, a row a place that it may show.

    Raises:
        ExperimentError: the file is no Parquet or CSV file of these columns, or names a place twice.
    """
    remedy = f"Write a .parquet or .csv file with the columns {', '.join(_COLUMNS)}."
    read = _READERS.get(file.suffix)
    if read is None:
        raise ExperimentError(f"{file.name} is neither Parquet nor CSV by its name", where=str(file), remedy=remedy)
    try:
        chances = read(file).select(
            pl.col("list_id", "video_id").cast(pl.String).str.to_lowercase(), pl.col("chance").cast(pl.Float64)
        )
    except (pl.exceptions.PolarsError, OSError) as error:
        raise ExperimentError(f"The chances cannot be read: {error}", where=str(file), remedy=remedy) from None
    if chances.is_duplicated().any() or chances.select("list_id", "video_id").is_duplicated().any():
        raise ExperimentError("A place has two chances", where=str(file), remedy="Name each list and video once.")
    return chances


def read_showings(
    connection: Connection, chances: pl.DataFrame, *, attribution: timedelta, at: datetime | None = None
) -> tuple[Showings, Foretold | None]:
    """Read every place of the lists that a candidate has chances for, and what came of it: 1 for a LIKE, else 0.

    Args:
        connection: to the database that serves.
        chances: as `read_chances` gives them; of a video that is not named the candidate's chance is 0. A column
            `shown` is taken for the chances of what was served in place of those that were logged, given the places
            before; `predicted` and `expected` of each place (`off_policy.Foretold`) are returned as well.
        attribution: how long after a list a LIKE of its videos counts.
        at: the moment of the look; default now.

    Raises:
        ExperimentError: no such list was served, or its window is not over; or a chance is none.
    """
    asked = {
        "lists": chances["list_id"].unique().to_list(),
        "until": at or read_now(connection),
        "attribution": attribution,
        "tolerance": CLOCK_TOLERANCE,
    }
    rows = connection.execute(query("served_showings"), asked).fetchall()
    if not rows:
        raise ExperimentError(
            "None of the lists was served so long ago that what came of it is known",
            where="public.served_lists",
            remedy="Take lists of this database that are older than the window of attribution.",
        )
    names = ["list_id", "user_id", "video_id", "logged", "liked"]
    served = pl.DataFrame(rows, schema=names, orient="row").join(chances, on=["list_id", "video_id"], how="left")
    reward = served["liked"].cast(pl.Float64).to_numpy()
    shown = served["shown" if "shown" in chances.columns else "logged"].to_numpy()
    user = served["user_id"].rank("dense").cast(pl.Int64).to_numpy() - 1
    try:
        showings = Showings(reward, shown, served["chance"].fill_null(0.0).to_numpy(), user)
    except ValueError as error:
        raise ExperimentError(
            f"The chances cannot be used: {error}", where="chance", remedy="A chance is from 0 to 1."
        ) from None
    if "expected" not in served.columns:
        return showings, None
    return showings, Foretold(served["predicted"].fill_null(np.nan).to_numpy(), served["expected"].to_numpy())
