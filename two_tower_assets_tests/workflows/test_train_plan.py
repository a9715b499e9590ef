"""Which steps of `train-two-tower.yml` run for which inputs, resolved and not executed."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from two_tower_assets_tests.workflows.runner.expressions import holds
from two_tower_assets_tests.workflows.runner.workflow import Run, Trigger
from two_tower_assets_tests.workflows.training import (
    EMBEDDINGS,
    MIGRATE,
    REFUSE,
    REHEARSE,
    RELEASE,
    STAGE,
    TRAIN,
    WORKFLOW,
)

NAMES = ("use_remote_data", "generate_embeddings", "publish_artifacts", "update_embeddings")
CHOICES = [dict(zip(NAMES, values, strict=True)) for values in product((False, True), repeat=4)]


def _name(inputs: dict[str, bool]) -> str:
    return "+".join(name for name, chosen in inputs.items() if chosen) or "nothing"


@pytest.mark.parametrize("inputs", CHOICES, ids=_name)
def test_steps_follow_the_inputs(inputs: dict[str, bool]) -> None:
    """Each combination stages, makes live, migrates and rehearses exactly where it is asked to."""
    plan = WORKFLOW.plan(Trigger(inputs))
    publishes = inputs["publish_artifacts"] or inputs["update_embeddings"]
    assert (EMBEDDINGS in plan) == (inputs["generate_embeddings"] or publishes)
    assert (MIGRATE in plan[TRAIN]) == (inputs["use_remote_data"] and publishes)
    steps = plan.get(EMBEDDINGS, [])
    assert (RELEASE in steps) == inputs["update_embeddings"]
    assert (STAGE in steps) == (inputs["publish_artifacts"] and not inputs["update_embeddings"])
    assert (REHEARSE in steps) == (publishes and not inputs["use_remote_data"])


def test_the_form_begins_with_embeddings_alone() -> None:
    """The defaults touch no project and publish nothing."""
    assert WORKFLOW.defaults == {name: name == "generate_embeddings" for name in NAMES}


def test_one_run_at_a_time_and_none_is_cancelled() -> None:
    """Runs of every branch wait for each other."""
    assert WORKFLOW.content["concurrency"] == {"group": "train-two-tower", "cancel-in-progress": False}


def test_a_public_repository_gets_no_rows(tmp_path: Path) -> None:
    """With remote data the first step fails there, and no other runs; a rehearsal goes on."""
    inputs = {**WORKFLOW.defaults, "use_remote_data": True}
    run: Run = WORKFLOW.run(TRAIN, Trigger(inputs, private=False), tmp_path, tmp_path / "artifacts")
    assert run.ran(TRAIN) == [REFUSE]
    assert run.failed(TRAIN)
    assert REFUSE not in WORKFLOW.plan(Trigger(WORKFLOW.defaults, private=False))[TRAIN]


def test_a_refused_model_is_shown() -> None:
    """The metrics are shown after a failed training too, but not where it was never reached."""
    (step,) = (step for step in WORKFLOW.content["jobs"][TRAIN]["steps"] if step.get("name") == "Show the metrics")
    for outcome, shown in (("failure", True), ("skipped", False)):
        contexts = Trigger(WORKFLOW.defaults).contexts({"train": {"outcome": outcome}}, failed=True)
        assert holds(step["if"], contexts) is shown
