"""Video vectors of simulated releases: one that goes on as before, and one that has collapsed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from two_tower_assets.contract import EMBEDDING_DIM
from two_tower_assets.monitoring.observed import Observed
from two_tower_assets.monitoring.vectors import Vectors, examine
from two_tower_assets.settings import MonitoringSettings


def collapse_is_found(observed: Observed, seed: int) -> int | None:
    """Return 0 where a release that goes on as before is quiet and one that has collapsed is found, else None.

    Vectors are looked at when a release is made: what is found is found on that day.
    """
    before, again, collapsed = simulated_releases(observed, seed)
    settings = MonitoringSettings()
    quiet = examine(again, before, settings).problems
    return 0 if examine(collapsed, before, settings).problems and not quiet else None


def simulated_releases(observed: Observed, seed: int) -> tuple[dict[str, Vectors], ...]:
    """Return vectors by video of a release, of one trained again, and of one in which all point one way."""
    random = np.random.default_rng((seed, 2))
    names = observed.catalogue.select("id", "tags").explode("tags").drop_nulls()
    ids, video = np.unique(names["id"].to_numpy().astype(np.str_), return_inverse=True)
    _, tag = np.unique(names["tags"].to_numpy().astype(np.str_), return_inverse=True)
    bag = np.zeros((len(ids), int(tag.max()) + 1))
    bag[video, tag] = 1
    base = bag @ random.standard_normal((bag.shape[1], EMBEDDING_DIM))
    noise = 0.3 * base.std() * random.standard_normal(base.shape)
    one_way = 50 * base.std() * random.standard_normal(EMBEDDING_DIM)
    return tuple(_by_video(ids, each) for each in (base, base + noise, base + one_way))


def _by_video(ids: NDArray[np.str_], values: NDArray[np.float64]) -> dict[str, Vectors]:
    unit = (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)
    return dict(zip(ids.tolist(), unit, strict=True))
