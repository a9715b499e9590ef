from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import dagster as dg
import pytest
import yaml

from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.code import STAGES

ROOT = Path(__file__).parents[2]

BASELINES = (
    "most_popular",
    "popular_7_days",
    "popular_30_days",
    "content_cosine",
    "item_knn",
    "ease",
    "als",
    "bpr",
)
ANSWERED = {"sources/profiles", "sources/videos", "sources/decisions", "training/examples"}

# Every asset with what it is made from. A change here is a change of what people select, schedule and look at.
GRAPH = {
    "sources/database": set(),
    "sources/profiles": {"sources/database"},
    "sources/videos": {"sources/database"},
    "sources/decisions": {"sources/database"},
    "features/item_payloads": {"sources/videos"},
    "features/user_payloads": {"sources/profiles", "sources/videos", "sources/decisions"},
    "features/tag_vocabulary": {"sources/videos", "features/item_payloads"},
    "features/performer_vocabulary": {"sources/videos", "features/item_payloads"},
    "features/video_vocabulary": {"sources/videos", "sources/decisions"},
    "features/normalizer": {
        "sources/profiles",
        "sources/videos",
        "sources/decisions",
        "features/item_payloads",
        "features/tag_vocabulary",
        "features/performer_vocabulary",
        "features/video_vocabulary",
    },
    "features/item_vectors": {"sources/videos", "features/item_payloads", "features/normalizer"},
    "features/user_vectors": {"sources/videos", "features/user_payloads", "features/normalizer"},
    "training/examples": {"sources/videos", "sources/decisions"},
    "training/evaluated_checkpoint": {"sources/profiles", "sources/videos", "sources/decisions", "training/examples"},
    **{f"evaluation/{name}": ANSWERED for name in BASELINES},
    "evaluation/two_tower": ANSWERED | {"training/evaluated_checkpoint"},
    "evaluation/champion": ANSWERED | {"evaluation/two_tower"},
    "evaluation/report": ANSWERED
    | {"training/evaluated_checkpoint", "evaluation/two_tower", "evaluation/champion"}
    | {f"evaluation/{name}" for name in BASELINES},
    "evaluation/page": {
        "sources/videos",
        "training/evaluated_checkpoint",
        "evaluation/two_tower",
        "evaluation/report",
    }
    | {f"evaluation/{name}" for name in BASELINES},
    "evaluation/verdict": {"sources/videos", "evaluation/report"},
    "training/checkpoint": {
        "sources/profiles",
        "sources/videos",
        "sources/decisions",
        "features/normalizer",
        "training/examples",
        "training/evaluated_checkpoint",
        "evaluation/verdict",
    },
    "artifacts/user_tower_onnx": {"training/checkpoint"},
    "artifacts/feature_schema": {"training/checkpoint", "features/normalizer"},
    "artifacts/normalizer": {"training/checkpoint", "features/normalizer"},
    "artifacts/vocabularies": {"training/checkpoint", "features/normalizer"},
    "artifacts/model_meta": {"sources/videos", "training/checkpoint", "features/normalizer", "evaluation/report"},
    "artifacts/golden_vectors": {"sources/videos", "training/checkpoint", "features/normalizer"},
    "artifacts/video_embeddings": {
        "sources/videos",
        "training/checkpoint",
        "features/normalizer",
        "features/item_vectors",
    },
    "artifacts/onnxruntime_wasm": {"training/checkpoint"},
    "artifacts/report": {"training/checkpoint", "evaluation/page"},
    "artifacts/manifest": {
        "training/checkpoint",
        "artifacts/user_tower_onnx",
        "artifacts/feature_schema",
        "artifacts/normalizer",
        "artifacts/vocabularies",
        "artifacts/model_meta",
        "artifacts/golden_vectors",
        "artifacts/video_embeddings",
        "artifacts/onnxruntime_wasm",
    },
    "publishing/stored_files": {
        "training/checkpoint",
        "artifacts/manifest",
        "artifacts/report",
        "monitoring/reference",
    },
    "publishing/video_embeddings_table": {"training/checkpoint", "artifacts/manifest"},
    "publishing/user_embeddings": {
        "sources/decisions",
        "features/user_vectors",
        "training/checkpoint",
        "artifacts/user_tower_onnx",
        "publishing/video_embeddings_table",
    },
    "publishing/release": {
        "training/checkpoint",
        "artifacts/manifest",
        "artifacts/report",
        "publishing/stored_files",
        "publishing/video_embeddings_table",
        "publishing/user_embeddings",
    },
    "experiments/readout": {"sources/database"},
    "experiments/page": {"experiments/readout"},
    "experiments/verdict": {"experiments/readout"},
    "monitoring/reference": {
        "sources/profiles",
        "sources/videos",
        "sources/decisions",
        "training/checkpoint",
        "features/normalizer",
    },
    "monitoring/drift": {"sources/profiles", "sources/videos", "sources/decisions"},
    "monitoring/live_likes": {"sources/database"},
    "monitoring/vectors": {"publishing/release"},
    "monitoring/page": {"monitoring/drift", "monitoring/live_likes", "monitoring/vectors"},
}

BLOCKING_CHECKS = {
    "features/item_vectors": "item_vectors_are_the_same_from_rpc_and_frames",
    "features/user_vectors": "user_vectors_are_the_same_from_rpc_and_frames",
    "training/examples": "examples_see_what_serving_would_have_seen",
    "evaluation/verdict": "may_replace_what_serves",
    "training/checkpoint": "shipped_model_is_near_the_evaluated_one",
    "artifacts/user_tower_onnx": "onnx_equals_torch",
    "artifacts/video_embeddings": "every_active_video_has_one_unit_vector",
    "artifacts/manifest": "golden_vectors_replay",
    "publishing/video_embeddings_table": "index_finds_what_exact_search_finds",
    "publishing/user_embeddings": "every_active_user_has_a_vector",
    "experiments/verdict": "may_promote",
}

WARNINGS = {
    "monitoring/drift": "nothing_has_drifted",
    "monitoring/live_likes": "own_suggestions_are_liked_as_much_as_popular_ones",
    "monitoring/vectors": "vectors_are_sound",
}


@pytest.fixture(scope="module")
def specs() -> dict[str, dg.AssetSpec]:
    return {spec.key.to_user_string(): spec for spec in build_defs().resolve_all_asset_specs()}


def test_the_graph_is_the_declared_one(specs: dict[str, dg.AssetSpec]) -> None:
    """Keys and dependencies of all assets are those of the table above."""
    found = {key: {dep.asset_key.to_user_string() for dep in spec.deps} for key, spec in specs.items()}
    assert found == GRAPH


def test_every_asset_can_be_read_by_a_person(specs: dict[str, dg.AssetSpec]) -> None:
    """Each is described, owned, versioned, has kinds, and is grouped by its stage."""
    for key, spec in specs.items():
        assert spec.group_name == key.split("/", maxsplit=1)[0], key
        assert spec.group_name in STAGES
        assert len(spec.description or "") > 20, key
        assert list(spec.owners) == ["team:recommendations"], key
        assert spec.kinds, key
        assert spec.code_version, key


def test_every_promise_is_a_blocking_check() -> None:
    """Each stage's comparison stops what comes after it; monitoring, which makes nothing that is live, only warns."""
    checks = [spec for check in build_defs().asset_checks or [] for spec in check.check_specs]
    named = {spec.asset_key.to_user_string(): spec.name for spec in checks}
    assert named == BLOCKING_CHECKS | WARNINGS
    assert all(spec.blocking == (spec.asset_key.to_user_string() in BLOCKING_CHECKS) for spec in checks)


@pytest.mark.parametrize("module", ["definitions", "defs.summary"])
def test_definitions_and_what_is_said_of_a_run_need_no_environment_and_no_torch(tmp_path: Path, module: str) -> None:
    """They load in an empty environment and a strange folder, and torch, which takes a second, is not imported."""
    program = f"import sys, two_tower_assets.{module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], env={}, cwd=tmp_path, check=True)


def test_workspace_and_pyproject_name_the_same_location() -> None:
    """Dagster reads one or the other, depending on the command."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]
    (target,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    location = target["python_module"]
    assert project["dagster"]["module_name"] == location["module_name"]
    assert project["dg"]["project"]["code_location_target_module"] == location["module_name"]
    names = {location["location_name"], project["dagster"]["code_location_name"]}
    assert names == {project["dg"]["project"]["code_location_name"]}


def test_jobs_select_what_their_names_say() -> None:
    """`release` is everything but the experiments, which have a job of their own; `train` stops at the checkpoint."""
    defs = build_defs()
    everything = defs.resolve_job_def("release").asset_layer.selected_asset_keys
    trained = {key.to_user_string() for key in defs.resolve_job_def("train").asset_layer.selected_asset_keys}
    read = {key.to_user_string() for key in defs.resolve_job_def("read_experiments").asset_layer.selected_asset_keys}
    assert read == {key for key in GRAPH if key.startswith("experiments/")}
    assert {key.to_user_string() for key in everything} == set(GRAPH) - read
    assert "training/checkpoint" in trained
    assert not any(key.startswith(("artifacts/", "publishing/")) for key in trained)


def test_what_starts_runs_says_what_and_when_to_turn_it_on() -> None:
    """Each job has a description; schedules and sensors also name their job, and say that they are off."""
    defs = build_defs()
    assert all(len(str(job.description)) > 60 for job in defs.jobs or [])
    automations = [*(defs.schedules or []), *(defs.sensors or [])]
    assert len(automations) == 8
    for automation in automations:
        description = str(automation.description)
        assert "Off at first" in description
        assert isinstance(automation, dg.RunStatusSensorDefinition) or f"job {automation.job_name} " in description
