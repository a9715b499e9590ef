"""A workflow's jobs, run in their order: which steps run, with which environment, and a log of all of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from two_tower_assets_tests.workflows.runner.artifacts import download, upload
from two_tower_assets_tests.workflows.runner.expressions import Contexts, holds, resolve
from two_tower_assets_tests.workflows.runner.sandbox import Sandbox

ACTIONS = ("actions/checkout", "actions/setup-python", "actions/setup-node")


@dataclass(frozen=True)
class Trigger:
    """How a workflow was started: inputs as a person left them, and the repository's secrets."""

    inputs: Mapping[str, bool]
    secrets: Mapping[str, str] = field(default_factory=dict)
    private: bool = True
    extra: Mapping[str, str] = field(default_factory=dict)
    """Variables of the machine, which no workflow names."""

    def contexts(self, steps: Mapping[str, Any], *, failed: bool) -> Contexts:
        """What expressions may name."""
        github = {"event": {"repository": {"private": self.private}}, "ref": "refs/heads/main"}
        values = {"inputs": self.inputs, "secrets": self.secrets, "github": github, "steps": steps}
        return Contexts(values, failed=failed)


@dataclass(frozen=True)
class Line:
    """One step in the log."""

    job: str
    step: str
    outcome: str
    """`success`, `failure` or `skipped`."""
    seconds: float = 0.0
    output: str = ""

    def __str__(self) -> str:
        return f"{self.job:<10} {self.outcome:<8} {self.seconds:5.1f} s  {self.step}"


@dataclass
class Run:
    """A run of some jobs."""

    lines: list[Line] = field(default_factory=list)
    sandboxes: dict[str, Sandbox] = field(default_factory=dict)

    @property
    def report(self) -> str:
        """The log, and the end of what failed steps said."""
        said = [line.output[-4000:] for line in self.lines if line.outcome == "failure"]
        return "\n".join((*map(str, self.lines), *said))

    @property
    def public_text(self) -> str:
        """Everything that the run's page shows: what steps printed, without commands to the runner, and summaries."""
        printed = (
            line for step in self.lines for line in step.output.splitlines() if not line.startswith("::add-mask::")
        )
        return "\n".join((*printed, *(sandbox.summary for sandbox in self.sandboxes.values())))

    def ran(self, job: str) -> list[str]:
        """Names of the steps that ran, in order."""
        return [line.step for line in self.lines if line.job == job and line.outcome != "skipped"]

    def failed(self, job: str) -> bool:
        """Whether one of its steps did."""
        return any(line.job == job and line.outcome == "failure" for line in self.lines)


class Workflow:
    """A workflow file."""

    def __init__(self, path: Path) -> None:
        self.content: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))

    @property
    def defaults(self) -> dict[str, bool]:
        """The inputs as the form shows them first."""
        # YAML 1.1 reads the key `on` as true.
        inputs = self.content[True]["workflow_dispatch"]["inputs"]
        return {name: declared["default"] for name, declared in inputs.items()}

    def plan(self, trigger: Trigger) -> dict[str, list[str]]:
        """Job to the names of its steps that run where every step succeeds; jobs that are skipped are not there."""
        contexts = trigger.contexts(_Succeeded(), failed=False)
        return {
            name: [_name(step) for step in job["steps"] if holds(_condition(step), contexts)]
            for name, job in self.content["jobs"].items()
            if holds(_condition(job), contexts)
        }

    def run(self, name: str, trigger: Trigger, folder: Path, artifacts: Path, run: Run | None = None) -> Run:
        """Run one job in a new sandbox, adding to the log of the jobs before it."""
        run = run or Run()
        job = self.content["jobs"][name]
        environment = _resolved(self.content.get("env", {}), trigger.contexts({}, failed=False))
        sandbox = run.sandboxes[name] = Sandbox(folder / name, {**environment, **trigger.extra})
        steps: dict[str, dict[str, str]] = {}
        for step in job["steps"]:
            line = _step(name, step, sandbox, trigger.contexts(steps, failed=run.failed(name)), artifacts)
            run.lines.append(line)
            if "id" in step:
                steps[step["id"]] = {"outcome": line.outcome}
        return run


class _Succeeded(dict[str, Any]):
    """Any step, having succeeded."""

    def __contains__(self, _: object) -> bool:
        return True

    def __getitem__(self, _: str) -> dict[str, str]:
        return {"outcome": "success"}


def _step(job: str, step: Mapping[str, Any], sandbox: Sandbox, contexts: Contexts, artifacts: Path) -> Line:
    name = _name(step)
    if not holds(_condition(step), contexts):
        return Line(job, name, "skipped")
    started = time.monotonic()
    if "run" in step:
        finished = sandbox.run(resolve(step["run"], contexts), _resolved(step.get("env", {}), contexts))
        code, output = finished.code, finished.output
    else:
        code, output = 0, _use(step, sandbox, _resolved(step.get("with", {}), contexts), artifacts)
    return Line(job, name, "failure" if code else "success", time.monotonic() - started, output)


def _use(step: Mapping[str, Any], sandbox: Sandbox, options: Mapping[str, str], artifacts: Path) -> str:
    action = step["uses"].partition("@")[0]
    if action == "actions/checkout":
        sandbox.check_out()
    elif action == "actions/upload-artifact":
        return f"{upload(sandbox.workspace, options, artifacts)} files kept"
    elif action == "actions/download-artifact":
        return f"{download(sandbox.workspace, options, artifacts)} files put back"
    else:
        assert action in ACTIONS, f"nothing here does what {action} does"
    return ""


def _name(step: Mapping[str, Any]) -> str:
    return str(step.get("name") or step["uses"].partition("@")[0])


def _condition(part: Mapping[str, Any]) -> str | None:
    condition = part.get("if")
    return None if condition is None else str(condition)


def _resolved(values: Mapping[str, Any], contexts: Contexts) -> dict[str, str]:
    return {name: resolve(value, contexts) for name, value in values.items()}
