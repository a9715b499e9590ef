from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.automation.executor import PRELOADED, executor_for
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.errors import SettingsError
from two_tower_assets.settings import AutomationSettings, KubernetesSettings


@dg.op
def process_of_a_step() -> int:
    return os.getpid()


@dg.job(executor_def=executor_for(AutomationSettings(step_processes=2), KubernetesSettings()))
def two_steps() -> None:
    process_of_a_step.alias("first")()
    process_of_a_step.alias("second")()


def test_by_default_all_steps_share_a_process() -> None:
    """As measured: on few cores workers cost more than they give."""
    assert build_defs().executor is dg.in_process_executor


def test_steps_run_in_workers_that_have_everything_imported() -> None:
    """Each in a process of its own, forked from a server that has loaded what is named."""
    with dg.instance_for_test() as instance:
        result = dg.execute_job(dg.reconstructable(two_steps), instance)
        with result:
            processes = {result.output_for_node(name) for name in ("first", "second")}
    assert result.success
    assert len(processes | {os.getpid()}) == 3


def test_what_is_preloaded_can_be_imported() -> None:
    """A misspelt module would only be told of in a log, and cost its time in every step again."""
    assert all(importlib.import_module(name) for name in PRELOADED)


def test_the_setting_reaches_the_runs(tmp_path: Path) -> None:
    """Through the file that a workspace names."""
    file = tmp_path / "settings.toml"
    file.write_text("[automation]\nstep_processes = 3\n")
    executor = build_defs({"workspace": Workspace(settings_file=str(file))}).executor
    assert isinstance(executor, dg.ExecutorDefinition)
    assert executor.name == "multiprocess"


def test_steps_can_be_pods() -> None:
    """The executor is dagster-k8s' own, with so many pods side by side as the settings say."""
    executor = executor_for(AutomationSettings(executor="kubernetes", step_processes=3), KubernetesSettings())
    assert executor.name == "k8s"
    configured = executor.apply_config_mapping({"config": {}}).value["config"]
    assert (configured["max_concurrent"], configured["enable_owner_references"]) == (3, True)


def test_pods_need_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without dagster-k8s the error says which extra to install, or what to set instead."""
    # as if nothing of that name were installed
    monkeypatch.setitem(sys.modules, "dagster_k8s", None)
    with pytest.raises(SettingsError, match=r"automation\.executor.*extra `k8s`.*processes"):
        executor_for(AutomationSettings(executor="kubernetes"), KubernetesSettings())


def test_the_extra_is_not_imported_without_need() -> None:
    """Loading the code location imports neither dagster-k8s nor the Kubernetes client."""
    program = (
        "import sys, two_tower_assets.definitions; print({'dagster_k8s', 'kubernetes'} & set(sys.modules) or 'none')"
    )
    asked = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert asked.stdout.strip() == "none"
