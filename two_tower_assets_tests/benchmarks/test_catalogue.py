from __future__ import annotations

import tracemalloc
from pathlib import Path

import polars as pl

from two_tower_assets.sources.folder import read_folder
from two_tower_assets_tests.bench.catalogue.folder import write_catalogue
from two_tower_assets_tests.bench.catalogue.size import Size

FILES = ("videos.parquet", "profiles.parquet", "user_video_decisions.parquet")


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    """And another seed gives other decisions."""
    size = Size.of(3000)
    for folder, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_catalogue(tmp_path / folder, size, seed=seed)
    first, second, other = ([(tmp_path / folder / file).read_bytes() for file in FILES] for folder in "abc")
    assert first == second
    assert first[2] != other[2]


def test_the_rows_are_a_source_of_the_size_that_was_asked_for(tmp_path: Path) -> None:
    """Nothing is left out or mended, few users decide on much, and each keeps to some genres."""
    size = Size.of(20_000)
    written = write_catalogue(tmp_path, size, block=1000)
    tables = read_folder(tmp_path)
    assert tables.decisions.height == written
    assert 0.95 * size.decisions < written <= size.decisions
    assert (tables.profiles.height, tables.videos.height) == (size.users, size.videos)
    assert tables.counts == {"videos": {}, "profiles": {}, "user_video_decisions": {}}
    of_user = tables.decisions.group_by("user_id").len()["len"]
    assert of_user.quantile(0.9) > 2.5 * of_user.quantile(0.5)
    # A video's first tag by name is mostly one of its genres'.
    genre = tables.videos.select(pl.col("id").alias("video_id"), pl.col("tags").list.get(0).alias("genre"))
    likes = tables.decisions.filter(pl.col("decision_type").str.ends_with("like"))
    liked = likes.with_columns(pl.col("video_id").cast(pl.String)).join(genre, on="video_id")
    same = liked.group_by("user_id", "genre").len()["len"]
    shuffled = liked.with_columns(pl.col("genre").shuffle(seed=0)).group_by("user_id", "genre").len()["len"]
    assert (same**2).sum() > 1.1 * (shuffled**2).sum()


def test_decisions_are_never_held_but_for_a_block(tmp_path: Path) -> None:
    """Ten times the decisions in blocks of one size take the same memory, but for users and videos."""
    peaks = []
    for decisions in (20_000, 200_000):
        tracemalloc.start()
        write_catalogue(tmp_path, Size.of(decisions, videos=500), block=5000)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]
