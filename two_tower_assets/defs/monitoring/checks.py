"""Asset checks of the monitoring: each warns, and stops nothing, since what is live is not made here."""

from __future__ import annotations

from collections.abc import Callable

import dagster as dg

from two_tower_assets.defs.monitoring.looking import DRIFT_FILE, LIKES_FILE, VECTORS_FILE
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.stage import friendly
from two_tower_assets.defs.store import Made
from two_tower_assets.monitoring.records import DriftReport, LiveLikes, VectorHealth
from two_tower_assets.monitoring.words import drift_words


def health_check(asset: str) -> Callable[[Callable[..., dg.AssetCheckResult]], dg.AssetChecksDefinition]:
    """Declare a check that warns; its function's name and docstring are what the UI shows."""

    def declare(body: Callable[..., dg.AssetCheckResult]) -> dg.AssetChecksDefinition:
        return dg.asset_check(asset=asset.split("/"), description=body.__doc__)(friendly(body))

    return declare


@health_check("monitoring/drift")
def nothing_has_drifted(workspace: Workspace, drift: Made) -> dg.AssetCheckResult:
    """No figure is farther from the training data of the live release than chance and ordinary weeks explain."""
    text = drift.path(workspace.site.home, DRIFT_FILE).read_text(encoding="utf-8")
    report = DriftReport.model_validate_json(text)
    return _warned(list(drift_words(report)) if report.drifted else [])


@health_check("monitoring/live_likes")
def own_suggestions_are_liked_as_much_as_popular_ones(workspace: Workspace, live_likes: Made) -> dg.AssetCheckResult:
    """In the lists that were served, the model's places are not surely liked less than popular ones."""
    text = live_likes.path(workspace.site.home, LIKES_FILE).read_text(encoding="utf-8")
    found = LiveLikes.model_validate_json(text)
    return _warned(
        [f"Version {version}'s own suggestions are liked less than popular ones" for version in found.surely_worse]
    )


@health_check("monitoring/vectors")
def vectors_are_sound(workspace: Workspace, vectors: Made) -> dg.AssetCheckResult:
    """Vectors have length one, have not collapsed, and keep more neighbours of the release before than by chance."""
    text = vectors.path(workspace.site.home, VECTORS_FILE).read_text(encoding="utf-8")
    return _warned(list(VectorHealth.model_validate_json(text).problems))


def _warned(problems: list[str]) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
    )
