"""The videos of a catalogue: genres with a few that everybody knows, and tags that tell the genre.

A genre's videos lie behind one another, so that a draw by fame within a genre is one search in one table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets_tests.bench.catalogue.ids import ids

BEGIN: Final = datetime(2025, 1, 1, tzinfo=UTC)
DAYS: Final = 540
"""Decisions are made in so many days from BEGIN."""
MICROSECONDS_A_DAY: Final = 86_400_000_000
BEGIN_MICROSECONDS: Final = int(BEGIN.timestamp()) * 1_000_000

GENRES: Final = 32
_TAGS_A_GENRE: Final = 12
_COMMON_TAGS: Final = 100
_FAME: Final = 0.8
"""Exponent of Zipf's law within a genre."""
_BEFORE: Final = 900
"""Days before BEGIN in which the oldest videos were released."""


@dataclass(frozen=True, eq=False)
class Videos:
    """What decisions are drawn by; V videos."""

    genre: NDArray[np.int64]
    """[V], ascending: among whose videos it is met."""
    second: NDArray[np.int64]
    """[V]: a genre that it has something of, so that genres are no islands."""
    first: NDArray[np.int64]
    """[GENRES + 1]: where each genre begins."""
    fame_before: NDArray[np.float64]
    """[V + 1]: sum of the fame of the videos before each; within a genre 1 in all."""
    quality: NDArray[np.float32]
    """[V]: added to the log-odds of a LIKE."""
    released: NDArray[np.int64]
    """[V]: microseconds since the epoch."""


def make_videos(count: int, seed: int) -> tuple[Videos, pl.DataFrame]:
    """Draw `count` videos: what decisions need, and the table in the contract's columns."""
    rng = np.random.default_rng((seed, 1))
    genre = np.sort(np.arange(count) % GENRES)
    first = np.searchsorted(genre, np.arange(GENRES + 1))
    place = np.arange(count) - first[genre]
    fame = (place + 1.0) ** -_FAME
    of_genre = np.maximum(np.bincount(genre, fame, minlength=GENRES), 1e-12)
    day = DAYS - 2 - (DAYS + _BEFORE) * rng.random(count) ** 0.7
    videos = Videos(
        genre=genre,
        second=rng.integers(0, GENRES, count),
        first=first,
        fame_before=np.concatenate(([0.0], np.cumsum(fame / of_genre[genre]))),
        quality=rng.normal(0, 0.5, count).astype(np.float32),
        released=BEGIN_MICROSECONDS + (np.floor(day) * MICROSECONDS_A_DAY).astype(np.int64),
    )
    return videos, _table(videos, rng)


def _table(videos: Videos, rng: np.random.Generator) -> pl.DataFrame:
    count = len(videos.genre)
    released = pl.Series(videos.released).cast(pl.Datetime("us", "UTC"))
    return pl.DataFrame(
        {
            "id": ids("video", np.arange(count)),
            "title": pl.select(pl.format("Video {}", pl.Series(np.arange(count)))).to_series(),
            "maker": pl.select(pl.format("Studio {}", pl.Series(rng.zipf(1.6, count) % 500))).to_series(),
            "price": rng.choice([0.0, 300.0, 800.0, 1480.0, 2980.0, 4980.0], count),
            "duration_seconds": pl.Series(rng.integers(4, 180, count) * 60, dtype=pl.Int32),
            "product_released_at": released,
            "created_at": released,
            "tags": _tags(videos, rng),
            "performers": _names("Performer", rng.zipf(1.4, (count, 2)) % max(8, count // 6)),
        }
    )


def _tags(videos: Videos, rng: np.random.Generator) -> pl.Series:
    """Three tags of the genre, two of the second one and three that any video may have."""
    genres = np.stack([videos.genre] * 3 + [videos.second] * 2, axis=1)
    own = genres * _TAGS_A_GENRE + rng.integers(0, _TAGS_A_GENRE, genres.shape)
    common = GENRES * _TAGS_A_GENRE + rng.zipf(1.3, (len(genres), 3)) % _COMMON_TAGS
    return _names("tag", np.concatenate([own, common], axis=1))


def _names(word: str, numbers: NDArray[np.int64]) -> pl.Series:
    """Lists of distinct names, a list a row."""
    rows, width = numbers.shape
    names = pl.select(pl.format(word + " {}", pl.Series(numbers.reshape(-1)))).to_series()
    return names.reshape((rows, width)).arr.to_list().list.unique(maintain_order=True)
