"""A catalogue made up by seed: rows in which there is something to learn and in which every edge case occurs.

The same settings give the same rows on every machine: random numbers come from PCG64, dates are fixed, and what is
written down is whole numbers and choices, never the last bits of a float. What does not live here: the videos
(`sample_catalogue`) and the decisions (`sample_decisions`).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl

from two_tower_assets.settings import SampleSettings
from two_tower_assets.sources.coerce import UTC_TIME
from two_tower_assets.sources.sample_catalogue import BEGIN, END, Ints, make_catalogue, make_id, tag_groups
from two_tower_assets.sources.sample_decisions import TYPES, Decisions, People, make_decisions, make_people
from two_tower_assets.sources.sample_words import FAMILY_NAMES, GIVEN_NAMES
from two_tower_assets.sources.tables import SourceTables, validated

_BEGIN_MICROSECONDS: Final = int(BEGIN.timestamp()) * 1_000_000
_UNKNOWN_VIDEOS: Final = 3


def generate_sample(settings: SampleSettings) -> SourceTables:
    """Make the tables of the sample catalogue.

    Raises:
        SourceDataError: the settings are so small that nobody decided about anything.
    """
    rng = np.random.Generator(np.random.PCG64(settings.seed))
    catalogue = make_catalogue(settings.videos, settings.seed, rng)
    people = make_people(settings.users, settings.decisions_per_user, rng)
    decisions = make_decisions(people, catalogue, rng)
    user_ids = np.array([make_id(settings.seed, "user", number) for number in range(settings.users)])
    return validated(
        videos=catalogue.frame,
        profiles=_profiles(people, user_ids, rng),
        decisions=_decisions(decisions, user_ids, catalogue.frame["id"].to_numpy(), settings.seed, rng),
        tag_groups=tag_groups(),
        files=dict.fromkeys(("videos", "profiles", "user_video_decisions"), "the sample"),
        now=END,
    )


def _profiles(people: People, user_ids: np.ndarray[Any, Any], rng: np.random.Generator) -> pl.DataFrame:
    """Profiles of all but a few users; a few have no creation date."""
    users = len(user_ids)
    given, family = rng.integers(0, len(GIVEN_NAMES), users), rng.integers(0, len(FAMILY_NAMES), users)
    created = _time(np.floor(people.joined * 86_400).astype(np.int64))
    frame = pl.DataFrame(
        {
            "user_id": user_ids,
            "display_name": [f"{GIVEN_NAMES[a]} {FAMILY_NAMES[b]}" for a, b in zip(given, family, strict=True)],
            "created_at": created.set(pl.Series(rng.random(users) < 0.01), None),
        }
    )
    return frame.filter(pl.Series(rng.random(users) >= 0.01))


def _decisions(
    decisions: Decisions,
    user_ids: np.ndarray[Any, Any],
    video_ids: np.ndarray[Any, Any],
    seed: int,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Decisions with ids, a few of them about videos that are gone."""
    gone = np.array([make_id(seed, "gone", number) for number in range(_UNKNOWN_VIDEOS)])
    video = np.concatenate([video_ids, gone])[decisions.video]
    strays = np.flatnonzero(rng.random(len(video)) < 0.002)
    video[strays] = gone[rng.integers(0, len(gone), len(strays))]
    frame = pl.DataFrame(
        {
            "user_id": user_ids[decisions.user],
            "video_id": video,
            "decision_type": np.array(TYPES)[decisions.kind],
            "created_at": _time(decisions.second),
        }
    )
    return frame.unique(["user_id", "video_id"], keep="first", maintain_order=True)


def _time(second: Ints) -> pl.Series:
    return pl.Series(_BEGIN_MICROSECONDS + second * 1_000_000, dtype=pl.Int64).cast(UTC_TIME)
