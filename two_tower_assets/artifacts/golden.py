"""`golden_vectors.json`: payloads of no real person, with the vector and the embedding that each must give.

The expected features come from the readable definition (`features.reference`) and the expected embeddings from
torch; `replay` recomputes both from the version's public files alone, as every client does when it starts.
What does not live here: the payloads themselves (`golden_cases`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from two_tower_assets.artifacts.client import ModelFolder
from two_tower_assets.artifacts.documents import REMEDY, Document
from two_tower_assets.artifacts.golden_cases import golden_cases
from two_tower_assets.contract import GOLDEN_TOLERANCE, Files, UserPayload
from two_tower_assets.errors import ArtifactError
from two_tower_assets.features.reference import user_vector
from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.training.towers import UserTower


class Tolerance(Document):
    """Largest absolute difference of a component."""

    features: float = GOLDEN_TOLERANCE
    embedding: float = GOLDEN_TOLERANCE


class GoldenCase(Document):
    """A payload at a moment and what it gives."""

    name: str
    """What the case is about; for messages."""
    as_of: datetime
    payload: UserPayload
    features: tuple[float, ...]
    embedding: tuple[float, ...]


class GoldenVectors(Document):
    """The whole file."""

    model_version: str
    tolerance: Tolerance = Tolerance()
    cases: tuple[GoldenCase, ...]


@dataclass(frozen=True)
class Replay:
    """How far a client's numbers are from the golden ones."""

    cases: int
    features: float
    """Largest absolute difference of a feature."""
    embedding: float
    """Largest absolute difference of an embedding's component, computed from the client's own features."""
    worst_case: str
    within: bool
    """Whether both differences are inside the file's tolerance."""


def golden_vectors(model_version: str, tower: UserTower, space: FeatureSpace, *, as_of: datetime) -> GoldenVectors:
    """Compute the expected numbers of every golden case.

    Args:
        model_version: of the weights.
        tower: the user tower.
        space: its feature space.
        as_of: the moment that the cases are laid around, normally the snapshot's cut-off.
    """
    return GoldenVectors(
        model_version=model_version,
        cases=tuple(
            _expected(name, moment, payload, tower, space)
            for name, moment, payload in golden_cases(space, as_of=as_of)
        ),
    )


def replay(folder: Path) -> Replay:
    """Recompute every golden case through onnxruntime, from the files of `folder` and nothing else.

    Raises:
        ArtifactError: a file is missing or damaged, or the golden vectors are another version's.
    """
    model = ModelFolder.open(folder)
    golden = GoldenVectors.read(folder / Files.GOLDEN_VECTORS)
    if golden.model_version != model.model_version or not golden.cases:
        raise ArtifactError(
            f"There are {len(golden.cases)} golden vectors of version {golden.model_version}, "
            f"beside a model of version {model.model_version}",
            where=str(folder / Files.GOLDEN_VECTORS),
            remedy=REMEDY,
        )
    differences = [(case.name, *_differences(model, case)) for case in golden.cases]
    features = max(difference for _, difference, _ in differences)
    embedding = max(difference for _, _, difference in differences)
    return Replay(
        cases=len(differences),
        features=features,
        embedding=embedding,
        worst_case=max(differences, key=lambda difference: max(difference[1:]))[0],
        within=features <= golden.tolerance.features and embedding <= golden.tolerance.embedding,
    )


def require_replay(folder: Path) -> Replay:
    """Replay and refuse the folder when a number is off.

    Raises:
        ArtifactError: as `replay`, or a difference is beyond the tolerance.
    """
    result = replay(folder)
    if not result.within:
        raise ArtifactError(
            f"The golden vectors are not met: features differ by {result.features:.2e}, embeddings by "
            f"{result.embedding:.2e}, most in the case '{result.worst_case}'",
            where=str(folder),
            remedy=REMEDY,
        )
    return result


def _expected(name: str, as_of: datetime, payload: UserPayload, tower: UserTower, space: FeatureSpace) -> GoldenCase:
    features_F = user_vector(payload, as_of, space)
    with torch.inference_mode():
        embedding_D = tower(torch.from_numpy(features_F)[None]).numpy()[0]
    return GoldenCase(
        name=name,
        as_of=as_of,
        payload=payload,
        features=shortest(features_F),
        embedding=shortest(embedding_D),
    )


def shortest(values: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the doubles with the fewest digits that round to these float32 values."""
    return tuple(float(str(value)) for value in values)


def _differences(model: ModelFolder, case: GoldenCase) -> tuple[float, float]:
    features_F = model.user_features(case.payload, case.as_of)
    embedding_D = model.embed(features_F[np.newaxis])[0]
    return _largest(features_F, case.features, case), _largest(embedding_D, case.embedding, case)


def _largest(values: NDArray[np.float32], expected: tuple[float, ...], case: GoldenCase) -> float:
    if len(values) != len(expected):
        raise ArtifactError(
            f"Golden case '{case.name}' has {len(expected)} numbers where the model has {len(values)}",
            where=Files.GOLDEN_VECTORS,
            remedy=REMEDY,
        )
    return float(np.abs(values - np.array(expected, np.float32)).max())
