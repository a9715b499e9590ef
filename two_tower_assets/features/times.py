"""Moments as whole microseconds since the Unix epoch, UTC, exactly."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

MISSING_TIME: Final = int(np.iinfo(np.int64).min)
"""Stands for a null among times in microseconds."""

MICROSECONDS_A_DAY: Final = 86_400_000_000

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

UTC_MOMENT: Final = pl.Datetime("us", "UTC")


def microseconds(moment: datetime | None) -> int:
    """Return a moment (with a time zone) in microseconds, or `MISSING_TIME`."""
    return MISSING_TIME if moment is None else (moment - EPOCH) // timedelta(microseconds=1)


def moment_of(value: int) -> datetime:
    """Return the moment of a number of microseconds."""
    return EPOCH + timedelta(microseconds=int(value))


def as_microseconds(times: pl.Series) -> NDArray[np.int64]:
    """Datetimes as int64 microseconds, null as `MISSING_TIME`."""
    return times.cast(UTC_MOMENT).dt.timestamp("us").fill_null(MISSING_TIME).to_numpy()
