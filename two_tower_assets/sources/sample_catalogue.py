"""The sample's videos: what people see of them, and the hidden content and quality that decisions follow.

Makers, tags and performers have places in one latent space. A video's tags are drawn near its own place and its
content is mostly the mean of its tags' places, so that tags tell taste, though not all of it.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import numpy as np
import polars as pl

from two_tower_assets.sources.coerce import TEXTS
from two_tower_assets.sources.sample_words import (
    FAMILY_NAMES,
    GIVEN_NAMES,
    REGIONS,
    TAG_GROUPS,
    TITLE_FIRST,
    TITLE_SECOND,
)

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]

BEGIN: Final = datetime(2026, 5, 1, tzinfo=UTC)
END: Final = datetime(2026, 11, 1, tzinfo=UTC)
"""The window of decisions. Fixed, so that the rows do not depend on the day they are made."""
DAYS: Final = (END - BEGIN).days

LATENT: Final = 6
_TAG_PULL: Final = 10.0
_HIDDEN_SHARE: Final = 0.2
_NEW_DAYS: Final = 10
_CATALOGUE_DAYS: Final = 3 * 365


@dataclass(frozen=True)
class Catalogue:
    """Videos with what decides about them."""

    frame: pl.DataFrame
    """In the contract's columns."""
    content: Floats
    """[V, LATENT], unit rows: where a video is."""
    appeal: Floats
    """[V]: quality and fame, standardised; the logarithm of how much more often it is seen."""
    release_day: Floats
    """[V]: days from BEGIN, negative before; what is without a release date counts as always there."""
    seen: np.ndarray[Any, np.dtype[np.bool_]]
    """[V]: whether anybody has been shown it."""


def make_id(seed: int, kind: str, number: int) -> str:
    """Return the id of a sample row, the same on every machine."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"two-tower-assets/sample/{seed}/{kind}/{number}"))


def unit(vectors: Floats) -> Floats:
    """Divide rows by their length."""
    scaled: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return scaled


def tag_groups() -> pl.DataFrame:
    """`tag` and `tag_group` of every tag of the sample."""
    pairs = [(name, group) for group, names in TAG_GROUPS.items() for name in names]
    return pl.DataFrame(pairs, schema={"tag": pl.String, "tag_group": pl.String}, orient="row")


def make_catalogue(videos: int, seed: int, rng: np.random.Generator) -> Catalogue:
    """Draw `videos` videos."""
    tags = tag_groups()["tag"]
    tag_place = unit(rng.standard_normal((len(tags), LATENT)))
    maker, maker_place, maker_quality = _makers(videos, rng)
    place = unit(1.2 * maker_place[maker] + rng.standard_normal((videos, LATENT)) / np.sqrt(LATENT) * 1.6)
    has_tag = _choose_near(place, tag_place, rng.integers(3, 10, videos), _TAG_PULL, rng)
    has_tag[rng.random(videos) < 0.01] = False
    tag_mean = unit(has_tag @ tag_place)
    performers = max(8, videos // 6)
    performer_place = unit(rng.standard_normal((performers, LATENT)))
    has_performer = _choose_near(place, performer_place, rng.integers(0, 5, videos), 4.0, rng)
    appeal = 0.6 * maker_quality[maker] + 1.0 * rng.standard_normal(videos)
    release_day, seen = _releases(videos, rng)
    frame = pl.DataFrame(
        {
            **_facts(videos, seed, rng),
            **_schedule(release_day, rng),
            "maker": [f"Studio {number:03d}" for number in maker],
            "maker_code": [f"M{number:03d}" for number in maker],
            "tags": _names(has_tag, tags.to_list()),
            "performers": _names(has_performer, _people(performers)),
        }
    )
    return Catalogue(
        frame=frame,
        content=unit((1 - _HIDDEN_SHARE) * tag_mean + _HIDDEN_SHARE * place),
        appeal=appeal,
        release_day=np.where(np.isnan(release_day), -_CATALOGUE_DAYS, release_day),
        seen=seen,
    )


def _makers(videos: int, rng: np.random.Generator) -> tuple[Ints, Floats, Floats]:
    """Maker of each video (few make many), and each maker's place and quality."""
    makers = max(4, videos // 20)
    share = 1.0 / np.arange(1, makers + 1) ** 0.7
    maker = rng.choice(makers, videos, p=share / share.sum())
    return maker, unit(rng.standard_normal((makers, LATENT))), rng.standard_normal(makers)


def _choose_near(
    place: Floats, targets: Floats, how_many: Ints, pull: float, rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Draw `how_many` targets a row without replacement, near ones more likely (Gumbel top-k).

    Returns [rows, targets].
    """
    chosen = np.zeros((len(place), len(targets)), dtype=np.bool_)
    fame = 0.6 * rng.standard_normal(len(targets))
    for begin in range(0, len(place), 4096):
        block = slice(begin, begin + 4096)
        scores = pull * (place[block] @ targets.T) + fame
        scores += rng.gumbel(size=scores.shape)
        best = np.argsort(-scores, axis=1)[:, : int(how_many.max())]
        wanted = np.arange(best.shape[1]) < how_many[block, None]
        np.put_along_axis(chosen[block], best, wanted, axis=1)
    return chosen


def _names(chosen: np.ndarray[Any, np.dtype[np.bool_]], names: list[str]) -> pl.Series:
    rows, columns = np.nonzero(chosen)
    pairs = pl.DataFrame({"row": rows, "name": pl.Series(names, dtype=pl.String).gather(columns)})
    lists = pairs.group_by("row").agg(pl.col("name").sort())
    every = pl.DataFrame({"row": np.arange(len(chosen))})
    return every.join(lists, on="row", how="left", maintain_order="left")["name"].fill_null(
        pl.Series([[]], dtype=TEXTS)
    )


def _people(count: int) -> list[str]:
    pairs = len(GIVEN_NAMES) * len(FAMILY_NAMES)
    names = [f"{given} {family}" for family in FAMILY_NAMES for given in GIVEN_NAMES]
    return [names[i % pairs] + (f" {i // pairs + 1}" if i >= pairs else "") for i in range(count)]


def _releases(videos: int, rng: np.random.Generator) -> tuple[Floats, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Release days from BEGIN (NaN: no date), and who has been shown: not the newest, nor what is yet to come."""
    day = np.floor(DAYS - _CATALOGUE_DAYS * rng.random(videos) ** 1.5)
    kind = rng.random(videos)
    newest = kind < 0.04
    upcoming = (kind >= 0.04) & (kind < 0.06)
    undated = (kind >= 0.06) & (kind < 0.08)
    day[newest] = DAYS - 1 - rng.integers(0, _NEW_DAYS, int(newest.sum()))
    day[upcoming] = DAYS + rng.integers(1, 60, int(upcoming.sum()))
    day[undated] = np.nan
    return day, ~(newest | upcoming)


def _schedule(release_day: Floats, rng: np.random.Generator) -> dict[str, pl.Series]:
    released = _times(release_day)
    distribution = _times(release_day - rng.integers(0, 20, len(release_day)))
    return {
        "product_released_at": released,
        "distribution_started_at": distribution,
        "published_at": released,
        "created_at": distribution.fill_null(BEGIN),
    }


def _times(day: Floats) -> pl.Series:
    """Midnights, UTC, `day` days after BEGIN; NaN becomes null."""
    days = pl.Series(day).fill_nan(None).cast(pl.Int64)
    return (int(BEGIN.timestamp() * 1e6) + days * 86_400_000_000).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _facts(videos: int, seed: int, rng: np.random.Generator) -> dict[str, Any]:
    first, second = rng.integers(0, len(TITLE_FIRST), videos), rng.integers(0, len(TITLE_SECOND), videos)
    price = rng.choice([300, 500, 800, 980, 1500, 1980, 2980, 4980], videos).astype(np.float64)
    price[rng.random(videos) < 0.05] = 0.0
    duration = rng.integers(4, 180, videos) * 60
    region = rng.choice(len(REGIONS), videos, p=[0.8, 0.08, 0.05, 0.04, 0.03])
    return {
        "id": [make_id(seed, "video", number) for number in range(videos)],
        "external_id": [f"sample-{number:06d}" for number in range(videos)],
        "title": [
            f"{TITLE_FIRST[a]} {TITLE_SECOND[b]} {number}"
            for number, (a, b) in enumerate(zip(first, second, strict=True))
        ],
        "description": [None if number % 7 == 0 else f"The story of number {number}." for number in range(videos)],
        "price": _with_nulls(pl.Series(price), rng.random(videos) < 0.08),
        "duration_seconds": _with_nulls(pl.Series(duration, dtype=pl.Int32), rng.random(videos) < 0.03),
        "safety_level": pl.Series(rng.choice(4, videos, p=[0.7, 0.2, 0.07, 0.03]), dtype=pl.Int16),
        "region_codes": pl.Series([list(REGIONS[number]) for number in region], dtype=TEXTS),
        "is_active": rng.random(videos) >= 0.03,
        "source": ["sample"] * videos,
    }


def _with_nulls(values: pl.Series, null: np.ndarray[Any, np.dtype[np.bool_]]) -> pl.Series:
    return values.set(pl.Series(null), None)
