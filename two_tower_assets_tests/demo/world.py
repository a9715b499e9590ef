"""What the demo shows in tests: the sample's people and videos, and a released version of random towers over them.

The videos' words and the people's decisions are the sample's; a user's vector is made of them as ever, so it moves
with each decision. The video vectors are random: a list is in some order, not in a good one.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl

from two_tower_assets.features.space import FeatureSpace, Standard
from two_tower_assets.publishing.target import Target
from two_tower_assets.settings import SampleSettings
from two_tower_assets.sources.load import load
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.tables import SourceTables
from two_tower_assets_tests.artifacts.versions import feature_space, make_version, video_id
from two_tower_assets_tests.publishing.releasing import release

VERSION = "20260301T120000Z-0123456"
SAMPLE = SampleSettings(videos=300, users=60, decisions_per_user=30)
TAGS = 60
SCALES = {
    "account_age_days": Standard(90.0, 60.0),
    "mean_price": Standard(1500.0, 1000.0),
    "median_price": Standard(1500.0, 1000.0),
    "like_ratio": Standard(0.4, 0.2),
    "like_count": Standard(10.0, 10.0),
    "nope_count": Standard(15.0, 15.0),
    "decision_count": Standard(30.0, 30.0),
    "recent_like_days": Standard(10.0, 20.0),
}


def fill(target: Target, artifacts: Path) -> None:
    """Load the sample into a migrated database and release a version over its videos."""
    tables = _numbered(generate_sample(SAMPLE))
    load(target.url, tables, source="the demo's tests")
    folder = make_version(artifacts, VERSION, videos=SAMPLE.videos, seed=3, space=_space(tables))
    release(target, folder)


def _numbered(tables: SourceTables) -> SourceTables:
    """Give the sample's videos the ids that the test versions have vectors of."""
    ids = {old: video_id(number) for number, old in enumerate(tables.videos["id"])}
    videos = tables.videos.with_columns(pl.col("id").replace(ids))
    decisions = tables.decisions.with_columns(pl.col("video_id").cast(pl.String).replace(ids))
    return replace(tables, videos=videos, decisions=decisions)


def _space(tables: SourceTables) -> FeatureSpace:
    tags = Counter(tag for names in tables.videos["tags"].to_list() for tag in names or ())
    chosen = tuple(name for name, _ in tags.most_common(TAGS))
    return replace(feature_space(performers=0), tags=chosen, user_numeric=SCALES)
