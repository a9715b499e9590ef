"""`train-two-tower.yml` without remote data: both jobs on a sample, which no project hears of."""

from __future__ import annotations

from pathlib import Path

from two_tower_assets_tests.workflows.conftest import Project
from two_tower_assets_tests.workflows.training import EMBEDDINGS, REHEARSE, TRAIN, WORKFLOW, running, started


def test_a_rehearsal_goes_live_on_the_runner_alone(project: Project, settings: Path, tmp_path: Path) -> None:
    """Both jobs go as far as a live release, the project's server hears nothing, and the page says what it was."""
    trigger = started(project, settings, update_embeddings=True)
    with running() as run:
        for job in (TRAIN, EMBEDDINGS):
            WORKFLOW.run(job, trigger, tmp_path, tmp_path / "artifacts", run)
            assert not run.failed(job), run.report
    assert REHEARSE in run.ran(EMBEDDINGS)
    summary = run.sandboxes[EMBEDDINGS].summary
    assert " is live." in summary
    assert "a rehearsal that touched no project" in summary
    assert project.storage.served == ()
