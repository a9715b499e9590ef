from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster_k8s.job import get_user_defined_k8s_config

from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.automation.training_node import FITTING, POD
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.errors import SettingsError
from two_tower_assets.settings import parse_settings

NODE = """
[automation]
executor = "kubernetes"
[kubernetes]
training_gpus = 2
training_node_labels = ["example.com/pool=training", "fast="]
training_tolerations = ["nvidia.com/gpu"]
"""


def _with(tmp_path: Path, text: str) -> dg.Definitions:
    file = tmp_path / "settings.toml"
    file.write_text(text)
    return build_defs({"workspace": Workspace(settings_file=str(file))})


def _steps(definitions: dg.Definitions) -> dict[str, dg.OpDefinition]:
    nodes = definitions.resolve_job_def("release").graph.nodes
    return {node.name: node.definition for node in nodes if isinstance(node.definition, dg.OpDefinition)}


def test_fits_are_tagged_with_their_node(tmp_path: Path) -> None:
    """dagster-k8s reads from the tag how many GPUs, which node and which taint, of the fits and of no other step."""
    tags = {name: step.tags[POD] for name, step in _steps(_with(tmp_path, NODE)).items() if POD in step.tags}
    assert set(tags) == {"__".join(key.path) for key in FITTING}
    for tag in tags.values():
        read = get_user_defined_k8s_config({POD: tag})
        assert read.container_config == {"resources": {"limits": {"nvidia.com/gpu": "2"}}}
        assert read.pod_spec_config == {
            "node_selector": {"example.com/pool": "training", "fast": ""},
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        }


def test_a_tag_is_all_that_differs(tmp_path: Path) -> None:
    """A tagged step has the inputs, outputs, resources, retries and specs of the other one."""

    def described(definitions: dg.Definitions) -> dict[str, Any]:
        return {
            name: (
                {**step.ins},
                {key: (out.io_manager_key, out.code_version, out.is_required) for key, out in step.outs.items()},
                step.required_resource_keys,
                step.retry_policy,
                step.description,
                step.pool,
                step.compute_fn,
            )
            for name, step in _steps(definitions).items()
        }

    tagged, plain = _with(tmp_path, NODE), build_defs()
    assert described(tagged) == described(plain)
    specs, as_declared = ({spec.key: spec for spec in each.resolve_all_asset_specs()} for each in (tagged, plain))
    assert specs == as_declared


def test_by_default_no_step_is_tagged() -> None:
    """Settings that ask for nothing leave every step as it was declared."""
    assert not any(POD in step.tags for step in _steps(build_defs()).values())


@pytest.mark.parametrize(
    "table",
    [{"training_node_labels": ["pool"]}, {"training_tolerations": ["two words"]}, {"training_gpus": -1}],
)
def test_what_no_node_has_is_refused(table: dict[str, Any]) -> None:
    """A label without a value, a key that Kubernetes would refuse, fewer than no GPU."""
    with pytest.raises(SettingsError, match=next(iter(table))):
        parse_settings({"kubernetes": table}, where="here")
