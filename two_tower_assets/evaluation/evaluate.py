"""From rankings to the report: the towers beside the baselines and the champion, in every trial.

Nothing is fitted here and nothing ranked but the re-ordered lists: rankings come from `towers`, `baselines` and
`champion`. All methods of a trial answer the same task.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.figures import Lists, group_figures
from two_tower_assets.evaluation.metrics.calibration import brier_score, log_loss, reliability
from two_tower_assets.evaluation.metrics.makers import maker_concentration, shares_of
from two_tower_assets.evaluation.ranking import Ranking
from two_tower_assets.evaluation.report import MODEL, Baseline, Calibration, Report, TrialReport
from two_tower_assets.evaluation.selection import decided_similarities
from two_tower_assets.evaluation.shelf import Shelf, shelf_of
from two_tower_assets.evaluation.trials import GLOBAL, Trial
from two_tower_assets.features.times import moment_of
from two_tower_assets.progress import Progress, silent
from two_tower_assets.settings import EvaluationSettings

_NO_TARGETS = "no LIKE of a candidate is hidden in it"


@dataclass(frozen=True)
class Measured:
    """What all methods said in one trial."""

    trial: Trial
    rankings: Mapping[str, Ranking]
    baselines: Mapping[str, Baseline] = field(default_factory=dict)
    """How each baseline was tuned, or why it is missing."""


@dataclass(frozen=True)
class Champion:
    """The live release that the towers are compared with."""

    version: str
    missing: str | None = None
    """Why it could not be compared, or None."""


def evaluate(
    measured: Mapping[str, Measured],
    videos: pl.DataFrame,
    choices: Choices,
    settings: EvaluationSettings,
    *,
    preset: str,
    champion: Champion | None = None,
    progress: Progress = silent,
) -> Report:
    """Measure every method of every trial.

    Args:
        measured: by the trial's name.
        videos: the snapshot's videos in the history's order: `maker`.
        choices: what the validation window decided.
        settings: list lengths and resamples.
        preset: of the features.
        champion: the live release, when there is one.
        progress: told of each trial measured.
    """
    trials: dict[str, TrialReport] = {}
    baselines: dict[str, dict[str, Baseline]] = {}
    calibration: Calibration | None = None
    notes: list[str] = []
    for name, part in measured.items():
        trials[name] = trial_report(part, videos, settings)
        baselines[name] = dict(part.baselines)
        if name == GLOBAL:
            calibration = _calibration(part, choices)
        if not len(part.trial.task.users):
            notes.append(f"{name}: {_NO_TARGETS}")
        progress(len(trials), len(measured))
        # The next one may be made only then, and two need not fit into the memory.
        del part
    return Report(
        preset=preset,
        choices=choices,
        trials=trials,
        baselines=baselines,
        calibration=calibration,
        champion_version=champion.version if champion else None,
        champion_missing=champion.missing if champion else None,
        notes=tuple(notes),
    )


def trial_report(measured: Measured, videos: pl.DataFrame, settings: EvaluationSettings) -> TrialReport:
    """Figures of one trial."""
    trial = measured.trial
    shelf = shelf_of(trial, videos)
    is_global = trial.name == GLOBAL
    return TrialReport(
        trial=trial.name,
        start=moment_of(trial.data.until) if is_global else None,
        end=moment_of(trial.data.examples.split.end) if is_global else None,
        candidates=len(trial.task.candidates),
        left_out=trial.task.left_out,
        groups=group_figures(Lists(trial.task, shelf, measured.rankings), settings),
        **_concentrations(shelf),
    )


def _concentrations(shelf: Shelf) -> dict[str, float]:
    """Makers of the candidates and of what was liked, as far as there are any."""
    catalogue, liked = np.arange(len(shelf.maker_C)), shelf.liked_video
    parts = {
        "catalogue_maker_hhi": shares_of(catalogue, shelf.maker_C),
        "liked_maker_hhi": shares_of(liked, shelf.maker_V),
    }
    return {name: maker_concentration(shares) for name, shares in parts.items() if len(shares)}


def _calibration(judged: Measured, choices: Choices) -> Calibration | None:
    fitted = choices.like_calibration
    known = judged.trial.task.has_history
    if fitted is None or MODEL not in judged.rankings or not known.any():
        return None
    ranking = judged.rankings[MODEL].part(judged.trial.task, known)
    similarity, liked = decided_similarities(ranking)
    probability = 1 / (1 + np.exp(-(fitted.a * similarity + fitted.b)))
    bins = reliability(probability, liked)
    return Calibration(
        decisions=len(liked),
        brier=brier_score(probability, liked),
        log_loss=log_loss(probability, liked),
        expected_error=bins.expected_calibration_error,
        reliability=tuple(
            zip(bins.predicted_B.tolist(), bins.observed_B.tolist(), bins.count_B.tolist(), strict=True)
        ),
    )
