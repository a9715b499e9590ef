"""The live release's recipe on the same window and users: chosen, fitted and ranked as the challenger is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from two_tower_assets.errors import EvaluationError, TrainingError
from two_tower_assets.evaluation.fits import refit
from two_tower_assets.evaluation.ranking import Ranking
from two_tower_assets.evaluation.recipe import Recipe
from two_tower_assets.evaluation.report import MODEL
from two_tower_assets.evaluation.selection import select
from two_tower_assets.evaluation.towers import tower_ranking
from two_tower_assets.evaluation.trials import trials_of
from two_tower_assets.settings import Settings
from two_tower_assets.training.engine import LOCAL, Engine
from two_tower_assets.training.trainer import Watch, unwatched

_NO_RECIPE = (
    'it was released before recipes were kept; compare by hand, then set gate.champion = "ignore" for one release'
)


@dataclass(frozen=True)
class Compared:
    """What came of the champion."""

    version: str | None = None
    """The live release, when there is one."""
    ranking: Ranking | None = None
    missing: str | None = None
    """Why there are no lists of it."""

    @property
    def facts(self) -> dict[str, Any]:
        """Version and reason, as far as there are any."""
        return {name: getattr(self, name) for name in ("version", "missing") if getattr(self, name)}


def compare_with_live(
    snapshot: Path,
    live: tuple[str, Mapping[str, Any]] | None,
    settings: Settings,
    *,
    own: Callable[[], Mapping[str, Ranking]],
    watch: Watch = unwatched,
    engine: Engine = LOCAL,
) -> Compared:
    """Rank by the live release's recipe, or say why that cannot be done.

    Args:
        snapshot: folder of the snapshot.
        live: version and kept recipe of what serves now; None before the first release.
        settings: today's.
        own: the challenger's lists of the global trial; they are the champion's when the recipes are equal.
        watch: called after each step.
        engine: what fits and ranks.
    """
    if live is None:
        return Compared()
    version, kept = live
    if not kept:
        return Compared(version, missing=_NO_RECIPE)
    try:
        recipe = Recipe.read(dict(kept))
        if recipe == Recipe.of(settings):
            return Compared(version, own()[MODEL])
        return Compared(version, champion_ranking(snapshot, recipe, settings, watch=watch, engine=engine))
    except (EvaluationError, TrainingError) as error:
        return Compared(version, missing=str(error))


def champion_ranking(
    snapshot: Path, recipe: Recipe, settings: Settings, *, watch: Watch = unwatched, engine: Engine = LOCAL
) -> Ranking:
    """Fit a recipe before the test window, in features of its own, and rank for everybody asked there.

    Args:
        snapshot: folder of the snapshot.
        recipe: the champion's.
        settings: today's; they say how to evaluate.
        watch: called after each step.
        engine: what fits and ranks.

    Raises:
        TrainingError: the recipe has nothing to learn from, or diverges on these data.
    """
    own = recipe.over(settings)
    trials = trials_of(snapshot, own.features, own.evaluation, own.resources)
    choices = select(trials.validation, trials.videos, own, watch=watch, engine=engine).choices
    fitted = refit(trials.test.data, own, choices, watch=watch, engine=engine)
    return tower_ranking(fitted.model, trials.test, choices, engine=engine)
