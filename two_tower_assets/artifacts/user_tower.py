"""`user_tower.onnx`: the user tower as one file, and the proof that it gives what torch gives.

What does not live here: building the tower's input from a payload (`client`).
Letters in tensor names: B batch, F features, D embedding (256).
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import torch
from numpy.typing import NDArray

from two_tower_assets.artifacts.session import open_session, run_session
from two_tower_assets.contract import EMBEDDING_DIM, GOLDEN_TOLERANCE, USER_EMBEDDING_TENSOR, USER_TENSOR
from two_tower_assets.errors import ArtifactError
from two_tower_assets.home import replacing
from two_tower_assets.training.towers import UserTower

OPSET: Final = 18
"""The exporter's native opset; onnxruntime-web runs it."""

_CHATTY: Final = "torch.onnx._internal.exporter._registration"
_PROBE_ROWS: Final = 256


def export_user_tower(tower: UserTower, path: Path) -> None:
    """Write the tower as ONNX: `user_features` [batch, F] to `user_embedding` [batch, 256], weights inside.

    The same weights give the same bytes, and nothing of the machine it was made on is in them.
    """
    model = _to_onnx(tower)
    _forget_origin(model)
    assert all(tensor.data_location == onnx.TensorProto.DEFAULT for tensor in model.graph.initializer)
    onnx.checker.check_model(model)
    with replacing(path) as temporary:
        temporary.write_bytes(model.SerializeToString(deterministic=True))


def largest_difference(tower: UserTower, path: Path) -> float:
    """Return the largest absolute difference between torch and onnxruntime over random and extreme input.

    Raises:
        ArtifactError: the file is missing, cannot be run, or its output is not of unit length.
    """
    session = open_session(path)
    largest = 0.0
    for features_BF in _probes(tower.width):
        embedding_BD = run_session(session, features_BF)
        _require_unit(embedding_BD, path)
        with torch.inference_mode():
            expected_BD = tower(torch.from_numpy(features_BF)).numpy()
        if len(features_BF):
            largest = max(largest, float(np.abs(embedding_BD - expected_BD).max()))
    return largest


def require_parity(tower: UserTower, path: Path) -> float:
    """Return the largest difference, or refuse the file when it is beyond the contract's tolerance.

    Raises:
        ArtifactError: as `largest_difference`, or the difference is too large.
    """
    difference = largest_difference(tower, path)
    if difference > GOLDEN_TOLERANCE:
        raise ArtifactError(
            f"onnxruntime and torch differ by {difference:.2e}, more than {GOLDEN_TOLERANCE:g}",
            where=str(path),
            remedy="Export the user tower from this version's weights again.",
        )
    return difference


def _to_onnx(tower: UserTower) -> onnx.ModelProto:
    example_BF = torch.zeros(2, tower.width)
    with _quiet_exporter():
        program = torch.onnx.export(
            tower.eval(),
            (example_BF,),
            dynamo=True,
            external_data=False,
            opset_version=OPSET,
            input_names=[USER_TENSOR],
            output_names=[USER_EMBEDDING_TENSOR],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            verbose=False,
        )
    assert program is not None
    return program.model_proto


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep the exporter's own deprecation and its remarks about absent optional packages from the user."""
    logger = logging.getLogger(_CHATTY)
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=FutureWarning, message=".*LeafSpec.*")
            yield
    finally:
        logger.setLevel(before)


def _forget_origin(model: onnx.ModelProto) -> None:
    """Remove what the exporter notes about source lines: paths of this machine among it."""
    graph = model.graph
    holders: list[Any] = [model, graph, *graph.node, *graph.input, *graph.output, *graph.value_info]
    for holder in [*holders, *graph.initializer]:
        holder.ClearField("metadata_props")
        holder.ClearField("doc_string")


def _probes(width: int) -> Iterator[NDArray[np.float32]]:
    """Batches of none, one and many: zeros, ones, ordinary, huge and tiny values of both signs."""
    random = np.random.default_rng(0)
    ordinary_BF = random.normal(size=(_PROBE_ROWS, width)).astype(np.float32)
    yield np.zeros((0, width), np.float32)
    yield np.zeros((1, width), np.float32)
    yield np.ones((1, width), np.float32)
    yield ordinary_BF
    yield ordinary_BF * np.float32(1e4)
    yield ordinary_BF * np.float32(1e-6)
    yield -np.abs(ordinary_BF)


def _require_unit(embedding_BD: NDArray[np.float32], path: Path) -> None:
    lengths_B = np.linalg.norm(embedding_BD, axis=1)
    if embedding_BD.shape[1] != EMBEDDING_DIM or not np.allclose(lengths_B, 1, atol=GOLDEN_TOLERANCE):
        raise ArtifactError(
            f"The output {USER_EMBEDDING_TENSOR} is not a unit vector of {EMBEDDING_DIM} numbers",
            where=str(path),
            remedy="Export the user tower from this version's weights again.",
        )
