"""What the page shows, as one value that is stored beside it as JSON.

How the parts come about is in `exposure`, `video_map` and `people`; how they look is in `sections`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.evaluation.gate import Verdict
from two_tower_assets.evaluation.report import Report


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        protected_namespaces=(),
        ser_json_inf_nan="strings",
    )


class LearningCurves(_Part):
    """What happened while the evaluated model was fitted."""

    losses: tuple[float, ...] = ()
    """Loss of each step."""
    validations: tuple[tuple[int, float], ...] = ()
    """Steps taken and what validation gave: recall@200 + NDCG@10."""


class MakerExposure(_Part):
    """One maker's share of the places."""

    name: str | None
    """None: videos without a known maker."""
    liked: float
    """Of what users later liked."""
    shown: Mapping[str, float]
    """Of each method's top-10 places."""


class Exposure(_Part):
    """What is put in front of users, beside what they later liked."""

    makers: tuple[MakerExposure, ...]
    """Those that the towers show most, most shown first."""
    liked_deciles: tuple[float, ...]
    """Share of the later LIKEs by popularity decile of the video, the most popular tenth first."""
    shown_deciles: Mapping[str, tuple[float, ...]]
    """The same of each method's top-10 places."""


class MapPoint(_Part):
    """One video on the map."""

    x: float
    """0 to 1."""
    y: float
    """0 to 1."""
    title: str
    tag: int | None
    """Place of its colour in `VideoMap.tags`; None: grey."""
    near: tuple[int, ...] = ()
    """The most similar points by cosine of the embeddings, most similar first."""


class VideoMap(_Part):
    """The video space in two dimensions."""

    points: tuple[MapPoint, ...]
    tags: tuple[str, ...]
    """Tags that have a colour, most frequent first."""
    videos: int
    """Videos that the points were drawn from."""
    kept: float | None
    """Mean share of a point's ten nearest in the embedding that are among its ten nearest on the map."""


class Reason(_Part):
    """A liked video that explains a suggestion."""

    title: str
    similarity: float
    """Cosine of both videos' embeddings."""


class Suggestion(_Part):
    """One place of somebody's list."""

    title: str
    similarity: float | None
    """Cosine with the user's vector; None where the fallback answers."""
    reasons: tuple[Reason, ...]
    """The liked videos nearest to it, nearest first."""
    later: Literal["liked", "noped"] | None
    """What the user decided on it afterwards."""


class Missed(_Part):
    """A later LIKE that the list does not show."""

    title: str
    rank: int | None
    """1-based; None: beyond the end of what was ranked."""


class Person(_Part):
    """One user: the past, the list, and what came after."""

    user: str
    """The beginning of the id."""
    group: Literal["new", "light", "heavy"]
    decisions: int
    """Known before the list was made."""
    likes: int
    """Those of them that are LIKEs of known videos."""
    liked: tuple[str, ...]
    """Titles of the latest, newest first."""
    shown: tuple[Suggestion, ...]
    later_likes: int
    """LIKEs afterwards that could have been recommended."""
    missed: tuple[Missed, ...]
    """Those of them that the list does not show, the nearest to it first."""


class DataFacts(_Part):
    """What the model learned from."""

    label: str
    """Name of the data set."""
    rows: Mapping[str, int]
    """By table."""
    cutoff: datetime
    """Decisions are those strictly before this moment."""
    content_hash: str


class Ablation(_Part):
    """The recipe with one thing changed."""

    name: str
    metrics: Mapping[str, Interval]
    gains: Mapping[str, Interval] = {}
    """Paired difference: this row minus the full recipe."""


class PageVariants(_Part):
    """What was measured of other seeds and of changed recipes, as far as anybody asked."""

    seeds: Mapping[str, tuple[float, ...]] = {}
    """Metric to its values over seeds."""
    ablation: tuple[Ablation, ...] = ()
    """The first row is the full recipe."""


class PageData(PageVariants):
    """Everything on the page."""

    model_version: str
    report: Report
    verdict: Verdict
    data: DataFacts
    settings: Mapping[str, Any]
    """Effective values by table of the settings file."""
    curves: LearningCurves = LearningCurves()
    exposure: Exposure | None = None
    video_map: VideoMap | None = None
    people: tuple[Person, ...] = ()
