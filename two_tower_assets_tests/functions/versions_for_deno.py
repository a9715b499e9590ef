"""What the Deno tests read: model versions as Python makes them, and what Python computes of the same numbers."""

from __future__ import annotations

import itertools
import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from two_tower_assets.artifacts.manifest import write_manifest
from two_tower_assets.evaluation.rerank import price_terms, release_terms
from two_tower_assets.features.times import MISSING_TIME, microseconds
from two_tower_assets.settings import RerankSettings
from two_tower_assets_tests.artifacts.versions import feature_space, make_version
from two_tower_assets_tests.experiments.vectors import ASSIGNMENT, TEAM_DRAFT

CONTENT, NEWER, HYBRID = ("20260301T123000Z-0123456", "20260302T123000Z-0123456", "20260303T123000Z-0123456")
SCORES = "scores.json"
NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)


def write_versions(folder: Path, wasm: Path) -> None:
    """Write three versions, each with onnxruntime-web's wasm as publishing lays it beside, and vectors of numbers."""
    make_version(folder, CONTENT, videos=20)
    make_version(folder, NEWER, videos=20, seed=1, space=feature_space(tags=25, performers=0))
    make_version(folder, HYBRID, videos=20, seed=2, space=feature_space(videos=700))
    for version in (CONTENT, NEWER, HYBRID):
        shutil.copy(wasm, folder / version / wasm.name)
        write_manifest(folder / version)
    for vectors in (ASSIGNMENT, TEAM_DRAFT):
        shutil.copy(vectors, folder)
    (folder / SCORES).write_text(json.dumps(score_vectors()), encoding="utf-8")


def score_vectors() -> list[dict[str, object]]:
    """Scores of `evaluation.rerank` for every mix of release date, price, similarity and weights."""
    dates = (None, *(NOW + timedelta(days=days) for days in (-4000, -120, -1, -1e-6, 0, 1e-6, 30)))
    prices = (None, -5.0, 0.0, 0.5, 799.99, 800.0, 4000.0, 4000.01, 1e7)
    settings = (
        (RerankSettings(), 1.0),
        (RerankSettings(similarity_weight=0.5, recency_weight=0.2, recency_days=30, future_release=-0.1), 0.25),
        (RerankSettings(free=-1, cheap=0.5, cheap_below=1000, dear=-2, dear_above=3000), 0.0),
    )
    return [
        {
            "now": NOW.isoformat(),
            "similarity": similarity,
            "video": {"product_released_at": date and date.isoformat(), "price": price},
            "rerank": {
                **weights.model_dump(mode="json", exclude={"strengths", "largest_cost"}),
                "strength": strength,
            },
            "score": _score(similarity, date, price, weights, strength),
        }
        for similarity, date, price, (weights, strength) in itertools.product(
            (-1.0, 0.0, 0.731), dates, prices, settings
        )
    ]


def _score(
    similarity: float, date: datetime | None, price: float | None, settings: RerankSettings, strength: float
) -> float:
    released_at_C = np.array([MISSING_TIME if date is None else microseconds(date)])
    price_C = np.array([np.nan if price is None else price])
    terms_C = release_terms(released_at_C, microseconds(NOW), settings) + price_terms(price_C, settings)
    return float(settings.similarity_weight * similarity + strength * terms_C[0])
