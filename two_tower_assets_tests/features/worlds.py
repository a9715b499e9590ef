"""Small worlds of profiles, videos and decisions for tests of features: built by hand, drawn at random, or at scale.

`naive_payload` is what the RPC must say of a user at a moment, by plain Python over that user's rows.
"""

from __future__ import annotations

import statistics
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st
from pydantic import BaseModel

from two_tower_assets.contract import (
    DecisionStats,
    ItemPayload,
    PriceStats,
    ProfilePayload,
    UserPayload,
    decision_kind,
)
from two_tower_assets.features.build import space_of_frames
from two_tower_assets.features.history import History
from two_tower_assets.features.point_in_time import UserStates
from two_tower_assets.features.space import FeatureSpace, Standard
from two_tower_assets.settings import FeatureSettings
from two_tower_assets.sources.snapshot import DECISIONS_FILE, PROFILES_FILE, VIDEOS_FILE, Snapshot

MOMENT = pl.Datetime("us", "UTC")
START = datetime(2024, 3, 1, 5, 30, tzinfo=UTC)
CUTOFF = datetime(2025, 1, 1, tzinfo=UTC)
PLAIN = FeatureSettings(min_tag_freq=1, min_actress_freq=1)
HYBRID = PLAIN.model_copy(update={"preset": "hybrid"})
UNIT_USERS = dict.fromkeys(
    (
        "account_age_days",
        "mean_price",
        "median_price",
        "like_ratio",
        "like_count",
        "nope_count",
        "decision_count",
        "recent_like_days",
    ),
    Standard(0.0, 1.0),
)
UNIT_ITEMS = dict.fromkeys(("price", "recency_days", "duration_seconds"), Standard(0.0, 1.0))


def uid(number: int) -> str:
    """A UUID that sorts like its number."""
    return str(uuid.UUID(int=number))


def space(
    tags: Sequence[str] = (),
    performers: Sequence[str] = (),
    reference: datetime | None = None,
    *,
    videos: Sequence[str] = (),
) -> FeatureSpace:
    """A space whose scales leave raw values as they are."""
    return FeatureSpace(tuple(tags), tuple(performers), UNIT_USERS, UNIT_ITEMS, reference, tuple(videos))


@dataclass(frozen=True)
class World:
    """The three tables of a snapshot, as frames in its columns and order."""

    videos: pl.DataFrame
    decisions: pl.DataFrame
    profiles: pl.DataFrame
    cutoff: datetime = field(default=CUTOFF)

    @cached_property
    def history(self) -> History:
        return History.from_frames(self.decisions, self.videos)

    def states(self, space: FeatureSpace) -> UserStates:
        return UserStates(self.history, videos=self.videos, profiles=self.profiles, space=space)

    def space(self, settings: FeatureSettings = PLAIN, *, before: datetime | None = None) -> FeatureSpace:
        return space_of_frames(
            self.history,
            videos=self.videos,
            profiles=self.profiles,
            cutoff=self.cutoff,
            settings=settings,
            before=before,
        )

    def until(self, moment: datetime) -> World:
        """The same world without the decisions from a moment on."""
        return World(self.videos, self.decisions.filter(pl.col("created_at") < moment), self.profiles)

    def snapshot(self, folder: Path) -> Snapshot:
        self.videos.write_parquet(folder / VIDEOS_FILE)
        self.decisions.write_parquet(folder / DECISIONS_FILE)
        self.profiles.write_parquet(folder / PROFILES_FILE)
        return Snapshot(folder=folder, cutoff=self.cutoff, content_hash="0" * 64, tables={})


def world(
    videos: Iterable[Mapping[str, Any]],
    decisions: Iterable[tuple[str, str, str, datetime]],
    profiles: Iterable[tuple[str, datetime | None]] = (),
) -> World:
    """Build a world; a video needs an `id` and takes defaults for everything else."""
    defaults = {
        "price": None,
        "duration_seconds": None,
        "product_released_at": None,
        "created_at": None,
        "is_active": True,
        "tags": [],
        "performers": [],
    }
    schema = {
        "id": pl.String,
        "price": pl.Float64,
        "duration_seconds": pl.Int32,
        "product_released_at": MOMENT,
        "created_at": MOMENT,
        "is_active": pl.Boolean,
        "tags": pl.List(pl.String),
        "performers": pl.List(pl.String),
    }
    rows = [{**defaults, **video} for video in videos]
    columns = {"user_id": pl.String, "video_id": pl.String, "decision_type": pl.String, "created_at": MOMENT}
    decided = pl.DataFrame(list(decisions), schema=columns, orient="row")
    people = pl.DataFrame(list(profiles), schema={"user_id": pl.String, "created_at": MOMENT}, orient="row")
    return World(
        videos=pl.DataFrame(rows, schema=schema).sort("id"),
        decisions=decided.sort("user_id", "created_at", "video_id"),
        profiles=people.sort("user_id"),
    )


def naive_payload(world: World, user: str, as_of: datetime) -> UserPayload:
    """What counts of one user's decisions strictly before a moment, row by row."""
    videos = {video["id"]: video for video in world.videos.iter_rows(named=True)}
    rows = [
        row for row in world.decisions.iter_rows(named=True) if row["user_id"] == user and row["created_at"] < as_of
    ]
    likes = [row for row in rows if decision_kind(row["decision_type"]) == "like"]
    liked = [videos[row["video_id"]] for row in likes if row["video_id"] in videos]
    prices = [video["price"] for video in liked if video["price"] is not None]
    created = [row["created_at"] for row in world.profiles.iter_rows(named=True) if row["user_id"] == user]
    return UserPayload(
        user_id=user,
        profile=ProfilePayload(created_at=created[0] if created else None),
        decision_stats=DecisionStats(
            like_count=len(likes),
            nope_count=sum(decision_kind(row["decision_type"]) == "nope" for row in rows),
            decision_count=len(rows),
            recent_like_at=max((row["created_at"] for row in likes), default=None),
            average_like_hour=statistics.fmean(row["created_at"].hour for row in likes) if likes else 12.0,
        ),
        price_stats=PriceStats(
            mean=statistics.fmean(prices) if prices else 0.0, median=statistics.median(prices) if prices else 0.0
        ),
        tags=tuple(name for video in liked for name in video["tags"]),
        performers=tuple(name for video in liked for name in video["performers"]),
        liked_video_ids=newest_ids(rows, "like"),
        noped_video_ids=newest_ids(rows, "nope"),
    )


def newest_ids(rows: Iterable[Mapping[str, Any]], kind: str) -> tuple[str, ...]:
    """The thousand newest videos decided on in one way, the newest first, those of one moment by id."""
    chosen = [row for row in rows if decision_kind(row["decision_type"]) == kind]
    chosen.sort(key=lambda row: row["video_id"])
    chosen.sort(key=lambda row: row["created_at"], reverse=True)
    return tuple(row["video_id"] for row in chosen[:1000])


def naive_item(video: Mapping[str, Any]) -> ItemPayload:
    """The payload of one row of a world's videos."""
    wanted = ("price", "duration_seconds", "product_released_at", "tags", "performers")
    return ItemPayload(video_id=video["id"], **{name: video[name] for name in wanted})


def as_payload_rows(payloads: Iterable[tuple[str, BaseModel]]) -> pl.DataFrame:
    """Payloads as the rows of a payload file."""
    rows = [(name, payload.model_dump_json()) for name, payload in payloads]
    return pl.DataFrame(rows, schema={"id": pl.String, "payload": pl.String}, orient="row")


def busy_world() -> World:
    """One user with 1200 LIKEs and 1200 NOPEs, six of either at each moment, so the thousandth newest has equals."""
    rows = [
        (uid(1), uid(n), ("like", "nope")[n % 2], START + timedelta(minutes=(n + n % 2) // 12)) for n in range(2400)
    ]
    return world([{"id": uid(n)} for n in range(2400)], rows)


NAMES = ("drama", "🎬 film", "日本語", 'it\'s "quoted"', "back\\slash", "Ünïcode")


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Few users, videos and moments, so that every edge case is likely: equal times, unknown videos, nulls."""
    names = st.lists(st.sampled_from(NAMES), max_size=4, unique=True).map(sorted)
    moments = st.integers(0, 40).map(lambda hours: START + timedelta(hours=hours, microseconds=hours % 3))
    count = draw(st.integers(1, 5))
    videos = [
        {
            "id": uid(number),
            "price": draw(st.none() | st.sampled_from([-5.0, 0.0, 9.99, 100.0, 1e6])),
            "duration_seconds": draw(st.none() | st.integers(0, 10_000)),
            "product_released_at": draw(st.none() | moments),
            "is_active": draw(st.booleans()),
            "tags": draw(names),
            "performers": draw(names),
        }
        for number in range(count)
    ]
    kinds = st.sampled_from(["like", "swipe_like", "nope", "grid_nope", "skip", "dislike"])
    decision = st.tuples(st.integers(0, 3).map(uid), st.integers(0, count + 1).map(uid), kinds, moments)
    decisions = draw(st.lists(decision, max_size=25, unique_by=lambda row: row[:2]))
    profiles = draw(
        st.lists(st.tuples(st.integers(0, 4).map(uid), st.none() | moments), unique_by=lambda row: row[0])
    )
    return world(videos, decisions, profiles)


@st.composite
def dense_worlds(draw: st.DrawFn) -> World:
    """Two users with long histories in few moments: LIKEs and NOPEs to choose among, most at equal times."""
    kinds = st.sampled_from(["like", "nope", "skip"])
    moments = st.integers(0, 4).map(lambda hours: START + timedelta(hours=hours))
    decision = st.tuples(st.integers(0, 1).map(uid), st.integers(0, 9).map(uid), kinds, moments)
    decisions = draw(st.lists(decision, min_size=10, max_size=20, unique_by=lambda row: row[:2]))
    return world([{"id": uid(number), "tags": NAMES[number % 4 :: 2]} for number in range(8)], decisions)


def large_world(
    *, users: int, videos: int, decisions: int, seed: int = 0, tags: int = 512, performers: int = 256
) -> World:
    """A world of a given size: activity with a long tail, about 10 tags and 4 performers a video, 60 % LIKEs."""
    rng = np.random.default_rng(seed)
    weights = rng.pareto(1.5, users) + 0.2
    user = np.sort(rng.choice(users, size=decisions, p=weights / weights.sum()))
    seconds = rng.integers(0, 180 * 86_400, decisions)
    kinds = np.array(["like", "grid_nope", "skip"])[rng.choice(3, size=decisions, p=[0.6, 0.35, 0.05])]
    ids = np.array([uid(number) for number in range(max(users, videos))])
    starts = int(START.timestamp()) * 1_000_000
    released = starts + rng.integers(-900, 100, videos) * 86_400_000_000
    return World(
        videos=pl.DataFrame(
            {
                "id": ids[:videos],
                "price": pl.Series(rng.integers(1, 50, videos) * 100.0 - 1).set(
                    pl.Series(rng.random(videos) < 0.1), None
                ),
                "duration_seconds": rng.integers(60, 7200, videos).astype(np.int32),
                "product_released_at": pl.Series(released).cast(MOMENT),
                "created_at": pl.Series(released).cast(MOMENT),
                "is_active": rng.random(videos) < 0.98,
                "tags": _lists(rng, "tag", tags, videos, 10),
                "performers": _lists(rng, "performer", performers, videos, 4),
            }
        ),
        decisions=pl.DataFrame(
            {
                "user_id": ids[user],
                "video_id": ids[rng.integers(0, videos, decisions)],
                "decision_type": kinds,
                "created_at": pl.Series(starts + seconds * 1_000_000).cast(MOMENT),
            }
        ).sort("user_id", "created_at", "video_id"),
        profiles=pl.DataFrame({"user_id": ids[:users], "created_at": pl.Series(np.full(users, starts)).cast(MOMENT)}),
    )


def _lists(rng: np.random.Generator, word: str, names: int, rows: int, mean: int) -> pl.Series:
    """A sorted list of different names for each row, some names more common than others."""
    drawn = (names * rng.random((rows, 2 * mean)) ** 1.5).astype(int)
    lengths = rng.integers(0, 2 * mean + 1, rows)
    return pl.Series(
        [sorted({f"{word} {number}" for number in row[:length]}) for row, length in zip(drawn, lengths, strict=True)],
        dtype=pl.List(pl.String),
    )
