from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from two_tower_assets.artifacts.session import open_session, run_session
from two_tower_assets.artifacts.user_tower import OPSET, export_user_tower, largest_difference, require_parity
from two_tower_assets.contract import GOLDEN_TOLERANCE
from two_tower_assets.errors import ArtifactError
from two_tower_assets_tests.artifacts.versions import feature_space, towers


def exported(tmp_path: Path, tags: int = 40, performers: int = 10, videos: int = 0) -> tuple[torch.nn.Module, Path]:
    tower = towers(feature_space(tags, performers, videos)).user
    export_user_tower(tower, tmp_path / "user_tower.onnx")
    return tower, tmp_path / "user_tower.onnx"


def test_the_file_has_the_contracts_tensors_and_nothing_beside_it(tmp_path: Path) -> None:
    """Names, shapes and types are the contract's, the weights are inside, and no second file appears."""
    _, path = exported(tmp_path)
    model = onnx.load(path, load_external_data=False)
    shapes = [
        (tensor.name, [d.dim_param or d.dim_value for d in tensor.type.tensor_type.shape.dim])
        for tensor in (*model.graph.input, *model.graph.output)
    ]
    assert shapes == [("user_features", ["batch", 59]), ("user_embedding", ["batch", 256])]
    assert {tensor.type.tensor_type.elem_type for tensor in (*model.graph.input, *model.graph.output)} == {1}
    assert [opset.version for opset in model.opset_import if not opset.domain] == [OPSET]
    assert [file.name for file in tmp_path.iterdir()] == ["user_tower.onnx"]


@pytest.mark.parametrize("batch", [0, 1, 2, 1000])
def test_any_batch_gives_unit_vectors(tmp_path: Path, batch: int) -> None:
    """The batch is dynamic, an empty one included, and each row has length 1."""
    _, path = exported(tmp_path)
    features = np.random.default_rng(1).normal(size=(batch, 59)).astype(np.float32)
    embedding = run_session(open_session(path), features)
    assert embedding.shape == (batch, 256)
    assert embedding.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize(("tags", "performers", "videos"), [(40, 10, 0), (0, 0, 0), (216, 0, 0), (512, 256, 4096)])
def test_onnxruntime_gives_what_torch_gives(tmp_path: Path, tags: int, performers: int, videos: int) -> None:
    """The difference is within the contract's tolerance, for vocabularies of size zero and the largest too."""
    tower, path = exported(tmp_path, tags, performers, videos)
    assert largest_difference(tower, path) <= GOLDEN_TOLERANCE


def test_other_weights_are_told_apart(tmp_path: Path) -> None:
    """A file exported from other weights is refused, with the size of the difference."""
    _, path = exported(tmp_path)
    other = towers(feature_space(), seed=1).user
    with pytest.raises(ArtifactError, match="onnxruntime and torch differ by"):
        require_parity(other, path)


def test_the_same_weights_give_the_same_bytes_without_a_trace_of_the_machine(tmp_path: Path) -> None:
    """Exporting twice changes nothing, and no source path is in the file."""
    tower, path = exported(tmp_path)
    first = path.read_bytes()
    export_user_tower(tower, path)
    assert path.read_bytes() == first
    assert b".py" not in first


def test_the_export_says_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither output nor log lines nor warnings (which are errors here) come from exporting."""
    with caplog.at_level(logging.WARNING):
        exported(tmp_path)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_a_file_that_is_no_model_is_refused_by_name(tmp_path: Path) -> None:
    """A damaged and a missing file each give an error that names the file."""
    path = tmp_path / "user_tower.onnx"
    with pytest.raises(ArtifactError, match=r"user_tower\.onnx"):
        open_session(path)
    path.write_bytes(b"not a model")
    with pytest.raises(ArtifactError, match=r"user_tower\.onnx"):
        open_session(path)
