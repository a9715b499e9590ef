"""What each ingredient of the recipe gives: the recipe with one thing changed, over several seeds.

Variants are fitted on what a trial lets them see and asked the same as everybody; the full recipe is a variant too,
and its spread over seeds says which differences are luck. Measurements are kept by what they were made from, so a
broken-off run goes on where it stopped.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from two_tower_assets.errors import EvaluationError
from two_tower_assets.evaluation.bootstrap import Interval, Resampling
from two_tower_assets.evaluation.choices import Choices
from two_tower_assets.evaluation.fits import refit
from two_tower_assets.evaluation.metrics.liking import auc, nope_rate_at, purity_at
from two_tower_assets.evaluation.metrics.retrieval import ndcg_at, recall_at
from two_tower_assets.evaluation.ranking import Ranking
from two_tower_assets.evaluation.recipe import Recipe
from two_tower_assets.evaluation.task import RankingTask
from two_tower_assets.evaluation.towers import tower_ranking
from two_tower_assets.evaluation.trials import Trial
from two_tower_assets.home import replacing
from two_tower_assets.settings import Settings

FULL: Final = "full recipe"

_CHANGES: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    FULL: {},
    "no logQ correction": {"training": {"logq": False}},
    "in-batch negatives only": {"training": {"negatives": "in_batch"}},
    "next targets only": {"training": {"future_share": 0.0}},
    "future targets only": {"training": {"future_share": 1.0}},
    "no masking of known videos": {"training": {"mask_known": False}},
    "users drawn by LIKEs": {"training": {"user_power": 1.0}},
    "no recency weighting": {"training": {"half_life_days": 1e6}},
    "no taste head": {"training": {"taste_loss": 0.0}},
    "NOPEs as extra negatives": {"training": {"nope_weight": 1.0}},
    "one content head": {"model": {"heads": 1, "hidden": (512,)}},
    "hybrid: ids of videos": {"features": {"preset": "hybrid"}},
}
"""Variant to the settings that it changes."""

Values = Mapping[str, NDArray[np.float64]]
"""Metric to one value a user; a ratio of sums has a second entry, named with `/`."""


@dataclass(frozen=True)
class Row:
    """One variant."""

    variant: str
    metrics: Mapping[str, Interval]
    """Means over seeds and users; intervals over users."""
    gains: Mapping[str, Interval]
    """The variant minus the full recipe, paired by user."""
    by_seed: Mapping[str, tuple[float, ...]]
    """Means over users, one a seed."""


def choose(only: Sequence[str]) -> tuple[str, ...]:
    """Return the named variants, or all where none is named, the full recipe first.

    Raises:
        EvaluationError: a name is unknown.
    """
    unknown = [name for name in only if name not in _CHANGES]
    if unknown:
        raise EvaluationError(
            f"There is no variant {unknown[0]!r}", where="--only", remedy=f"Choose among: {', '.join(_CHANGES)}."
        )
    return (FULL, *(name for name in (only or _CHANGES) if name != FULL))


def variant_settings(name: str, settings: Settings, *, seed: int) -> Settings:
    """Return settings with a variant's changes and a seed."""
    changes = {table: dict(values) for table, values in _CHANGES[name].items()}
    changes.setdefault("training", {})["seed"] = seed
    return settings.model_copy(
        update={table: getattr(settings, table).model_copy(update=values) for table, values in changes.items()}
    )


@dataclass(frozen=True)
class Bench:
    """Where variants are measured."""

    trial_of: Callable[[Settings], Trial]
    """The trial under a variant's feature settings."""
    choices: Choices
    """What the validation window decided for the recipe."""
    settings: Settings
    kept: Path
    """Folder of measurements."""
    code: str
    """Version of the code: measurements of other code are not used."""

    def rows(self, variants: Sequence[str], seeds: int) -> Iterator[Row]:
        """Measure variants, the full recipe first, and yield a row each."""
        full = [self.values(FULL, seed) for seed in range(seeds)]
        for variant in variants:
            found = full if variant == FULL else [self.values(variant, seed) for seed in range(seeds)]
            yield _row(variant, found, full, self.settings)

    def values(self, variant: str, seed: int) -> Values:
        """Per-user values of one fit, kept on disk."""
        settings = variant_settings(variant, self.settings, seed=seed)
        trial = self.trial_of(settings)
        path = self.kept / f"{self._key(settings, trial.name)}.safetensors"
        if path.exists():
            return load_file(path)
        fitted = refit(trial.data, settings, self.choices)
        values = user_values(tower_ranking(fitted.model, trial, self.choices), trial.task)
        self.kept.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            save_file(dict(values), temporary)
        return values

    def _key(self, settings: Settings, trial: str) -> str:
        parts = [
            Recipe.of(settings).model_dump_json(),
            settings.evaluation.model_dump_json(),
            self.choices.model_dump_json(),
        ]
        return hashlib.sha256(json.dumps([trial, self.code, *parts]).encode()).hexdigest()[:24]


def user_values(ranking: Ranking, task: RankingTask) -> dict[str, NDArray[np.float64]]:
    """[U] what tables show of a variant, of the known users; NaN for the others."""
    targets, nopes = ranking.targets(task), ranking.nopes(task)
    liked_U, decided_U = purity_at(targets, nopes, 10)
    values = {
        "ndcg@10": ndcg_at(targets, 10),
        "recall@200": recall_at(targets, 200),
        "nope_rate@10": nope_rate_at(nopes, 10),
        "auc": auc(targets.row, ranking.target_score_T, nopes.row, ranking.nope_score_N, targets.users),
        "purity@10": liked_U,
        "purity@10/": decided_U,
    }
    return {name: np.where(task.has_history, value_U, np.nan) for name, value_U in values.items()}


def _row(variant: str, found: Sequence[Values], full: Sequence[Values], settings: Settings) -> Row:
    mean, reference = _over_seeds(found), _over_seeds(full)
    evaluation = settings.evaluation
    resampling = Resampling(len(mean["ndcg@10"]), seed=evaluation.seed, resamples=evaluation.resamples)
    plain = [name for name in mean if not name.startswith("purity")]
    purity = resampling.ratio(mean["purity@10"], mean["purity@10/"])
    return Row(
        variant=variant,
        metrics={
            **resampling.means({name: mean[name] for name in plain}),
            **({"purity@10": purity} if purity else {}),
        },
        gains=resampling.means({name: mean[name] - reference[name] for name in plain}),
        by_seed={name: tuple(float(np.nanmean(values[name])) for values in found) for name in plain},
    )


def _over_seeds(found: Sequence[Values]) -> dict[str, NDArray[np.float64]]:
    return {name: np.mean([values[name] for values in found], axis=0) for name in found[0]}
