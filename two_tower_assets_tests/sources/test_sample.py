"""The sample catalogue: the same everywhere, with every edge case, and with something to learn."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from two_tower_assets.settings import SampleSettings
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.sample_catalogue import BEGIN, END
from two_tower_assets.sources.tables import SourceTables

RECORDED = "4445052651e17e0235b8f7ddbc6d169ee8ca419fa4158cce5cd9dea27c827b71"
LIKE = pl.col("decision_type").str.ends_with("like")


def as_text(decisions: pl.DataFrame) -> pl.DataFrame:
    return decisions.with_columns(pl.col("user_id", "video_id").cast(pl.String))


@pytest.fixture(scope="module")
def sample() -> SourceTables:
    return generate_sample(SampleSettings())


def test_rows_are_those_recorded() -> None:
    """A seed gives the rows whose hash was recorded, and another seed gives others."""
    small = SampleSettings(users=50, videos=60, decisions_per_user=10)
    assert generate_sample(small).content_hash() == RECORDED
    assert generate_sample(small.model_copy(update={"seed": 8})).content_hash() != RECORDED


@pytest.mark.parametrize(("users", "videos"), [(1, 1), (1, 5), (2, 1), (3, 200)])
def test_any_size_works(users: int, videos: int) -> None:
    """The smallest catalogues are made too."""
    made = generate_sample(SampleSettings(users=users, videos=videos, decisions_per_user=3))
    assert made.videos.height == videos
    assert made.decisions.height > 0


def test_size_is_what_was_asked(sample: SourceTables) -> None:
    """Videos are exactly as many as asked, decisions nearly, spread over the whole window and none outside."""
    assert sample.videos.height == 1500
    assert 0.85 < sample.decisions.height / (1200 * 40) < 1.1
    days = (sample.decisions["created_at"] - BEGIN).dt.total_days()
    assert days.min() == 0
    assert sample.decisions["created_at"].max() <= END
    per_month = (
        days.value_counts().with_columns(pl.col("created_at") // 31).group_by("created_at").agg(pl.sum("count"))
    )
    assert per_month["count"].min() > 2000


def test_every_edge_case_of_videos_occurs(sample: SourceTables) -> None:
    """Prices null and zero, no tags, no date, unreleased, inactive, no duration, regions and odd names all occur."""
    videos = sample.videos
    decided = pl.col("id").is_in(sample.decisions["video_id"].unique().implode())
    occurrences = videos.select(
        null_price=pl.col("price").is_null().sum(),
        free=(pl.col("price") == 0).sum(),
        untagged=(pl.col("tags").list.len() == 0).sum(),
        undated=pl.col("product_released_at").is_null().sum(),
        unreleased=(pl.col("product_released_at") > END).sum(),
        inactive=(~pl.col("is_active")).sum(),
        no_duration=pl.col("duration_seconds").is_null().sum(),
        regional=(pl.col("region_codes").list.len() > 0).sum(),
        unsafe=(pl.col("safety_level") > 1).sum(),
        quoted=pl.col("tags").list.contains('7" single').sum(),
        emoji=pl.col("tags").list.contains("🎬 staff pick").sum(),
        japanese=pl.col("tags").list.contains("日本語字幕").sum(),
        new=((pl.col("product_released_at") > END - timedelta(days=14)) & ~decided).sum(),
    )
    assert [name for name in occurrences.columns if occurrences[name][0] == 0] == []
    assert 200 <= videos["tags"].explode(empty_as_null=False).n_unique() <= 230


def test_every_edge_case_of_users_occurs(sample: SourceTables) -> None:
    """New users, only-NOPE users, one with very many decisions, missing profiles and unknown videos all occur."""
    decisions = as_text(sample.decisions)
    by_user = decisions.group_by("user_id").agg(likes=LIKE.sum(), all=pl.len())
    assert sample.profiles.join(by_user, on="user_id", how="anti").height > 20
    assert by_user.filter((pl.col("likes") == 0) & (pl.col("all") > 5)).height > 5
    assert by_user["all"].max() > 900  # type: ignore[operator]
    assert by_user.join(sample.profiles, on="user_id", how="anti").height > 3
    assert sample.profiles["created_at"].null_count() > 0
    assert decisions.join(sample.videos, left_on="video_id", right_on="id", how="anti").height > 10
    kinds = set(sample.decisions["decision_type"].unique())
    assert {"swipe_like", "grid_nope", "like", "nope", "skip"} <= kinds
    same_moment = sample.decisions.group_by("user_id", "created_at").len()
    assert same_moment["len"].max() > 1  # type: ignore[operator]


def recall_at(scores: np.ndarray[Any, Any], seen: set[int], wanted: set[int], k: int) -> float:
    scores = scores.copy()
    scores[list(seen)] = -np.inf
    return len(wanted & set(np.argsort(-scores)[:k].tolist())) / len(wanted)


def test_there_is_something_to_learn(sample: SourceTables) -> None:
    """After 90 % of the time liked tags find later likes better than popularity does, and popularity beats chance."""
    videos = sample.videos
    known = (
        as_text(sample.decisions)
        .join(videos.select(video_id="id").with_row_index("video"), on="video_id", how="inner")
        .sort("created_at")
    )
    cut = known["created_at"][int(known.height * 0.9)]
    before, after = known.filter(pl.col("created_at") < cut), known.filter(LIKE & (pl.col("created_at") >= cut))
    popular = np.bincount(before.filter(LIKE)["video"], minlength=videos.height).astype(float)
    tags = videos["tags"].explode(empty_as_null=False).unique().sort().to_list()
    content = np.array([[tag in names for tag in tags] for names in videos["tags"].to_list()], dtype=float)
    content /= np.maximum(np.linalg.norm(content, axis=1, keepdims=True), 1)
    results = []
    for user, rows in after.group_by("user_id"):
        history = before.filter(pl.col("user_id") == user[0])
        liked = history.filter(LIKE)["video"].to_numpy()
        if len(liked) and len(results) < 150:
            seen, wanted = set(history["video"]), set(rows["video"])
            taste = content @ content[liked].sum(axis=0)
            results.append([recall_at(scores, seen, wanted, 200) for scores in (popular, taste)])
    by_popularity, by_content = np.mean(results, axis=0)
    assert by_content > 1.3 * by_popularity
    assert by_popularity > 1.5 * 200 / videos.height
