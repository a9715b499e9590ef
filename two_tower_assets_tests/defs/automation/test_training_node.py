from __future__ import annotations

from typing import Any

import pytest
from dagster_k8s.job import UserDefinedDagsterK8sConfig

from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.automation.executor import executor_for
from two_tower_assets.defs.automation.training_node import FITTING
from two_tower_assets.errors import SettingsError
from two_tower_assets.settings import Settings, parse_settings

NODE = {
    "automation": {"executor": "kubernetes"},
    "kubernetes": {
        "training_gpus": 2,
        "training_node_labels": ["example.com/pool=training", "fast="],
        "training_tolerations": ["nvidia.com/gpu"],
    },
}


def _pods(settings: Settings) -> Any:
    executor = executor_for(settings.automation, settings.kubernetes)
    return executor.apply_config_mapping({"config": {}}).value["config"]["per_step_k8s_config"]


def test_fits_go_to_their_node() -> None:
    """dagster-k8s is told how many GPUs, which node and which taint, of the fits and of no other step."""
    pods = _pods(parse_settings(NODE, where="here"))
    assert set(pods) == set(FITTING)
    for pod in pods.values():
        read = UserDefinedDagsterK8sConfig.from_dict(pod)
        assert read.container_config == {"resources": {"limits": {"nvidia.com/gpu": "2"}}}
        assert read.pod_spec_config == {
            "node_selector": {"example.com/pool": "training", "fast": ""},
            "tolerations": [{"key": "nvidia.com/gpu", "operator": "Exists"}],
        }


def test_the_fits_are_steps_of_the_job() -> None:
    """A name that no step has would be passed over."""
    assert set(FITTING) <= {node.name for node in build_defs().resolve_job_def("release").graph.nodes}


def test_by_default_no_step_has_a_node_of_its_own() -> None:
    """Settings that name no node leave every pod as the run's."""
    assert _pods(parse_settings({"automation": {"executor": "kubernetes"}}, where="here")) == {}


@pytest.mark.parametrize(
    "table",
    [{"training_node_labels": ["pool"]}, {"training_tolerations": ["two words"]}, {"training_gpus": -1}],
)
def test_what_no_node_has_is_refused(table: dict[str, Any]) -> None:
    """A label without a value, a key that Kubernetes would refuse, fewer than no GPU."""
    with pytest.raises(SettingsError, match=next(iter(table))):
        parse_settings({"kubernetes": table}, where="here")
