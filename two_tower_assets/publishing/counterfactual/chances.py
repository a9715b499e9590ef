"""A release's chance of every place of the lists that were served.

Lists are made anew by the SQL and the arithmetic that the function makes them with. What can differ from what the
release would have shown then, since nothing keeps it:

- the catalogue is today's: videos that came after a list are left out, but prices, tags and release dates are those
  of now, and videos that are no longer active are not found;
- so are decisions: one that was taken back, or replaced by a later one, is not seen;
- a request's own filters are not logged, so that those of a request without any are taken (safety level 1);
- a vector that has to be computed is of the list's moment, where the function may have kept one for a while.

Lists of users who had liked nothing are left out (every release shows them what is popular), as are later pages (the
log does not say which earlier ones they go on from) and interleaved lists. Where too much differs, the candidate's
chances do not add up, and the value is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.artifacts.meta import ModelMeta
from two_tower_assets.contract import Files
from two_tower_assets.environment import ListSettings
from two_tower_assets.errors import ExperimentError
from two_tower_assets.evaluation.metrics.like_calibration import LikeCalibration
from two_tower_assets.experiments.counterfactual.diversity import diversified, likeness
from two_tower_assets.experiments.counterfactual.places import By, Candidates, Foreseen, Served, places
from two_tower_assets.experiments.definition import LIVE, RankingChanges
from two_tower_assets.features.times import microseconds
from two_tower_assets.progress import Progress, silent
from two_tower_assets.publishing.counterfactual.found import Found, Videos, find
from two_tower_assets.publishing.counterfactual.ranking import Ranking
from two_tower_assets.publishing.counterfactual.served import ServedList, newest_lists, with_vectors
from two_tower_assets.publishing.registry import Release, read_release
from two_tower_assets.publishing.released_files import released_folder
from two_tower_assets.publishing.upkeep import require_live
from two_tower_assets.publishing.writer import Connection
from two_tower_assets.storage.buckets import Buckets

_BLOCK: Final = 200
_EXPLORED: Final = "explore"
_PLACES: Final = {"list_id": pl.String, "video_id": pl.String, "shown": pl.Float64, "chance": pl.Float64}
_FORETOLD: Final = {"predicted": pl.Float64, "expected": pl.Float64}


@dataclass(frozen=True)
class Asked:
    """Whose value is asked for, and where lists are taken from."""

    model_version: str
    """Or `LIVE`."""
    changes: RankingChanges
    """Of its lists."""
    attribution: timedelta
    """How long after a list a LIKE of its videos counts."""
    most: int
    """Lists, the newest."""
    by: By
    """What a LIKE is taken to depend on."""


def release_chances(
    connection: Connection,
    buckets: Buckets,
    artifacts: Path,
    lists: ListSettings,
    asked: Asked,
    *,
    at: datetime,
    progress: Progress = silent,
) -> pl.DataFrame:
    """Go through the places of the newest lists.

    Args:
        connection: to the database that serves.
        buckets: where versions are stored.
        artifacts: folder of all versions on this machine.
        lists: settings of the deployment.
        asked: the candidate.
        at: the moment of the look.
        progress: lists done.

    Returns:
        `list_id`, `video_id`, `shown` and `chance` (`Showings.shown`, `.wanted`), a row a place; and where the
        release can say how likely LIKEs are, `predicted` and `expected` (`off_policy.Foretold`).

    Raises:
        ExperimentError: there is no such release, its vectors are gone, or no list can be weighed.
        PublishingError: its files are gone or others than were released.
    """
    release = _release(connection, asked.model_version)
    served = newest_lists(connection, release.model_version, until=at, attribution=asked.attribution, most=asked.most)
    if not served:
        raise ExperimentError(
            "No list of a user with LIKEs was served so long ago that what came of it is known",
            where="public.served_lists",
            remedy="Wait until the window of attribution of some first pages is over.",
        )
    with released_folder(buckets, artifacts, release) as folder:
        candidate = _Candidate.open(folder, release, lists, asked)
        rows = []
        for start in range(0, len(served), _BLOCK):
            rows += candidate.places(connection, served[start : start + _BLOCK])
            progress(min(start + _BLOCK, len(served)), len(served))
    return pl.DataFrame(rows, schema={**_PLACES, **_FORETOLD}, orient="row").select(
        *_PLACES, *(_FORETOLD if candidate.likes else ())
    )


def _release(connection: Connection, model_version: str) -> Release:
    release = require_live(connection) if model_version == LIVE else read_release(connection, model_version)
    if release is None or release.vector_table is None:
        lacks = "is unknown" if release is None else "has no vectors in the database any more"
        raise ExperimentError(
            f"Release {model_version} {lacks}",
            where="public.model_releases",
            remedy="`two-tower releases` lists them; `two-tower publish --stage-only` writes one beside the live.",
        )
    return release


@dataclass(frozen=True)
class _Candidate:
    release: Release
    model: ModelFolder
    ranking: Ranking
    likes: LikeCalibration | None
    by: By

    @classmethod
    def open(cls, folder: Path, release: Release, lists: ListSettings, asked: Asked) -> _Candidate:
        meta = ModelMeta.read(folder / Files.MODEL_META)
        fitted = meta.like_calibration
        return cls(
            release=release,
            model=ModelFolder.open(folder),
            ranking=Ranking.of(meta, lists, asked.changes),
            likes=LikeCalibration(**fitted) if fitted else None,
            by=asked.by,
        )

    def places(self, connection: Connection, lists: Sequence[ServedList]) -> list[tuple[Any, ...]]:
        """Rows of a block of lists."""
        lists = with_vectors(connection, self.model, lists)
        found = find(connection, self.release, lists, self.ranking.lists.candidates)
        videos = Videos.read(connection, sorted({video for each in found for video in each.ids}))
        return [row for one, each in zip(lists, found, strict=True) for row in self._rows(one, each, videos)]

    def _rows(self, one: ServedList, found: Found, videos: Videos) -> list[tuple[Any, ...]]:
        chosen_J, others = self._ranked(one, found, videos)
        ids = np.array(found.ids, np.str_)
        likes = self.likes or LikeCalibration(0.0, 0.0)
        foretold_C = likes.probability(1 - found.distance_C)
        compared = places(
            Served(one.video_ids, np.array(one.sources) == _EXPLORED, np.array(one.propensities)),
            Candidates(ids[chosen_J].tolist(), ids[others].tolist(), self.ranking.lists.explore_share),
            Foreseen(foretold_C[chosen_J], float(foretold_C[others].sum())),
            self.by,
        )
        predicted_K = likes.probability(1 - found.served_distance_K)
        figures = (compared.shown_K, compared.wanted_K, predicted_K, compared.expected_K)
        rows = zip(one.video_ids, *(each.tolist() for each in figures), strict=True)
        return [(one.list_id, *row) for row in rows]

    def _ranked(self, one: ServedList, found: Found, videos: Videos) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Numbers of the chosen candidates, in order, and of the others."""
        every = np.arange(len(found.ids))
        if not len(every):
            return every, every
        rows_C = np.array([videos.place[video] for video in found.ids], np.int64)
        score_C = self.ranking.scores(
            found.distance_C, videos.released_at_V[rows_C], videos.price_V[rows_C], microseconds(one.served_at)
        )
        alike_CC = likeness(videos.maker_V[rows_C], videos.tagged(rows_C))
        chosen_J = diversified(score_C, alike_CC, len(one.video_ids), self.ranking.lists.diversity_lambda)
        return chosen_J, np.setdiff1d(every, chosen_J)
