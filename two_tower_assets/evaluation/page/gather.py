"""The page's data from what an evaluation left behind: the global trial's lists, the towers, and the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from two_tower_assets.evaluation.gate import judge
from two_tower_assets.evaluation.page.data import DataFacts, Exposure, LearningCurves, PageData, Person, VideoMap
from two_tower_assets.evaluation.page.exposure import exposure
from two_tower_assets.evaluation.page.people import Lists, people
from two_tower_assets.evaluation.page.video_map import video_map
from two_tower_assets.evaluation.ranking import Ranking
from two_tower_assets.evaluation.report import MODEL, OWN, Report
from two_tower_assets.evaluation.shelf import shelf_of
from two_tower_assets.evaluation.tower_scores import embed_videos
from two_tower_assets.evaluation.trials import Trials
from two_tower_assets.settings import Settings
from two_tower_assets.training.towers import TwoTower
from two_tower_assets.training.trainer import Curves

UNVERSIONED = "not released"
"""What stands for the version before there is one."""


@dataclass(frozen=True)
class Evaluated:
    """A model with what was measured of it."""

    model: TwoTower
    """Fitted before the test window."""
    curves: Curves
    rankings: Mapping[str, Ranking]
    """Of the global trial, by method."""
    report: Report


def gather(evaluated: Evaluated, trials: Trials, settings: Settings, *, label: str) -> PageData:
    """Put together everything on the page.

    Args:
        evaluated: the model and its figures.
        trials: of the same snapshot.
        settings: effective.
        label: name of the data set.
    """
    curves, report = evaluated.curves, evaluated.report
    return PageData(
        model_version=UNVERSIONED,
        report=report,
        verdict=judge(report, settings.gate),
        data=_facts(trials, label),
        settings=settings.model_dump(mode="json"),
        curves=LearningCurves(losses=tuple(curves.losses), validations=tuple(curves.validations)),
        exposure=_exposure(evaluated.rankings, trials),
        video_map=_map(evaluated.model, trials),
        people=_people(evaluated, trials, settings),
    )


def _facts(trials: Trials, label: str) -> DataFacts:
    snapshot = trials.source.snapshot
    return DataFacts(
        label=label,
        rows={table: facts.rows for table, facts in snapshot.tables.items()},
        cutoff=snapshot.cutoff,
        content_hash=snapshot.content_hash,
    )


def _exposure(rankings: Mapping[str, Ranking], trials: Trials) -> Exposure | None:
    """Of the known users, by the towers and the baselines."""
    trial = trials.test
    known = trial.task.has_history
    if not known.any():
        return None
    lists = {
        name: ranking.part(trial.task, known).top_UK
        for name, ranking in rankings.items()
        if name == MODEL or name not in OWN
    }
    makers = trials.videos["maker"].gather(trial.task.candidates.astype(np.int64)).to_list()
    likes_C = shelf_of(trial, trials.videos).likes_C
    return exposure(lists, trial.task.targets.of_rows(known).place, makers=makers, likes_C=likes_C)


def _map(model: TwoTower, trials: Trials) -> VideoMap | None:
    """Of the catalogue at the start of the test window."""
    trial = trials.test
    candidates = trial.task.candidates.astype(np.int64)
    if not len(candidates):
        return None
    chosen = trials.videos.select("id", "title", "tags").with_row_index().select(pl.all().gather(candidates))
    return video_map(
        embed_videos(model, trial.data, candidates).numpy(),
        _titles(chosen),
        chosen["tags"].to_list(),
        shelf_of(trial, trials.videos).likes_C,
    )


def _people(evaluated: Evaluated, trials: Trials, settings: Settings) -> tuple[Person, ...]:
    trial = trials.test
    ranking = evaluated.rankings.get(MODEL)
    if ranking is None or not len(trial.task.users):
        return ()
    every: NDArray[np.int64] = np.arange(len(trial.data.history.video_ids))
    lists = Lists(
        task=trial.task,
        history=trial.data.history,
        top_UK=ranking.top_UK,
        score_UK=ranking.score_UK,
        target_rank_T=ranking.target_rank_T,
        embedding_VD=embed_videos(evaluated.model, trial.data, every).numpy(),
        titles=_titles(trials.videos),
    )
    return people(lists, light_decisions=settings.evaluation.light_decisions)


def _titles(videos: pl.DataFrame) -> list[str]:
    """Titles, or the beginning of the id where a video has none."""
    return videos.select(pl.coalesce("title", pl.col("id").str.head(8))).to_series().to_list()
