"""How old the live release may be: shown on its asset as fresh, about to be stale, or stale."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final

import dagster as dg

from two_tower_assets.settings import AutomationSettings

_RELEASE: Final = dg.AssetKey(["publishing", "release"])


def with_freshness(assets: Iterable[Any], settings: AutomationSettings) -> list[Any]:
    """Return the assets of a code location with a freshness policy on the live release.

    A run that the gate stopped leaves the release, and its age, as they were.
    """
    policy = dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=settings.stale_after_hours),
        warn_window=timedelta(hours=settings.warn_after_hours),
    )

    def judged(spec: dg.AssetSpec) -> dg.AssetSpec:
        return dg.apply_freshness_policy(spec, policy) if spec.key == _RELEASE else spec

    return list(dg.map_asset_specs(judged, assets))
