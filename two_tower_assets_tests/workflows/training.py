"""What the tests of `train-two-tower.yml` share: the file, its steps' names, and starting it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.workflows.conftest import Project
from two_tower_assets_tests.workflows.runner.sandbox import REPOSITORY
from two_tower_assets_tests.workflows.runner.workflow import Run, Trigger, Workflow

WORKFLOW = Workflow(REPOSITORY / ".github" / "workflows" / "train-two-tower.yml")
TRAIN, EMBEDDINGS = "train", "embeddings"

REFUSE = "Refuse to hand people's decisions over in a public repository"
MIGRATE = "Bring its schema up to date"
REHEARSE = "Fill the rehearsal's own Postgres"
STAGE = "Store the files, nothing going live"
RELEASE = "Make the version live"


def started(project: Project, settings: Path, **inputs: bool) -> Trigger:
    """A start by hand, with some inputs changed."""
    return Trigger({**WORKFLOW.defaults, **inputs}, project.secrets, extra={"TWO_TOWER_SETTINGS": str(settings)})


@contextmanager
def running() -> Iterator[Run]:
    """A run whose machines' embedded Postgres go in the end."""
    run = Run()
    try:
        yield run
    finally:
        for sandbox in run.sandboxes.values():
            EmbeddedPostgres(sandbox.workspace / ".two_tower" / "postgres").destroy()


def version_of(run: Run, job: str) -> str:
    """The one version on a job's machine."""
    (folder,) = (run.sandboxes[job].workspace / ".two_tower" / "artifacts").iterdir()
    return folder.name
