"""A release with all hashes right, whose tower gives vectors of another dimension."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import onnx
import psycopg

from two_tower_assets.artifacts.manifest import manifest_hash
from two_tower_assets.contract import Files
from two_tower_assets_tests.e2e.stack.home import Released

DIMENSION = 128


@contextmanager
def other_dimension(released: Released, version: str) -> Iterator[None]:
    """Let a version's files be of the other dimension, and right in all else, until the block ends."""
    folder = released.stored / version
    kept = shutil.copytree(folder, folder.with_name(f"{version}.kept"))
    before = _register(released, version, _shortened(folder))
    try:
        yield
    finally:
        shutil.rmtree(folder)
        kept.rename(folder)
        _register(released, version, before)


def _shortened(folder: Path) -> str:
    """Shorten what the tower gives, and say so in every file; return the new manifest's hash."""
    tower = onnx.load(folder / Files.USER_TOWER)
    _cut_output(tower.graph)
    onnx.save(tower, folder / Files.USER_TOWER)
    _change(folder / Files.FEATURE_SCHEMA, lambda schema: {**schema, "embedding_dim": DIMENSION})
    _change(folder / Files.GOLDEN_VECTORS, _cut_golden)
    _change(folder / Files.MANIFEST, partial(_sealed, folder))
    return manifest_hash(folder)


def _sealed(folder: Path, manifest: dict[str, Any]) -> dict[str, Any]:
    described = [{"path": file["path"], **_fingerprint(folder / file["path"])} for file in manifest["files"]]
    return {**manifest, "files": described}


def _fingerprint(file: Path) -> dict[str, Any]:
    content = file.read_bytes()
    return {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}


def _cut_output(graph: onnx.GraphProto) -> None:
    output = graph.output[0]
    whole = f"{output.name}_whole"
    for node in graph.node:
        node.output[:] = [whole if name == output.name else name for name in node.output]
    for name, value in {"cut_start": 0, "cut_end": DIMENSION, "cut_axis": 1}.items():
        graph.initializer.append(onnx.helper.make_tensor(name, onnx.TensorProto.INT64, [1], [value]))
    graph.node.append(onnx.helper.make_node("Slice", [whole, "cut_start", "cut_end", "cut_axis"], [output.name]))
    output.type.tensor_type.shape.dim[1].dim_value = DIMENSION


def _cut_golden(golden: dict[str, Any]) -> dict[str, Any]:
    return {**golden, "cases": [{**case, "embedding": case["embedding"][:DIMENSION]} for case in golden["cases"]]}


def _change(file: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    file.write_text(json.dumps(change(json.loads(file.read_text(encoding="utf-8")))), encoding="utf-8")


def _register(released: Released, version: str, hash_now: str) -> str:
    """Let the registry name another manifest; return the hash that it named before."""
    with psycopg.connect(released.database) as connection:
        row = connection.execute(
            "select manifest_hash from public.model_releases where model_version = %s", [version]
        ).fetchone()
        connection.execute(
            "update public.model_releases set manifest_hash = %s where model_version = %s", [hash_now, version]
        )
    assert row is not None
    return str(row[0])
