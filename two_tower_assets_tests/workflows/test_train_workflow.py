"""`train-two-tower.yml`: every `run:` step of both jobs, in order, in fresh clones against a local project."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.seen import SEEN
from two_tower_assets_tests.workflows.conftest import Project
from two_tower_assets_tests.workflows.runner.sandbox import REPOSITORY
from two_tower_assets_tests.workflows.runner.workflow import Run, Trigger, Workflow, lines_of

WORKFLOW = Workflow(REPOSITORY / ".github" / "workflows" / "train-two-tower.yml")
TRAIN, EMBEDDINGS = "train", "embeddings"
STAGE = "Store the files, nothing going live"
RELEASE = "Make the version live"
REHEARSE = "Fill the rehearsal's own Postgres"
SUMMARY = "Show what was made, and what is live"


def trigger(project: Project, settings: Path, **inputs: bool) -> Trigger:
    """A start by hand, with some inputs changed."""
    return Trigger({**WORKFLOW.defaults, **inputs}, project.secrets, extra={"TWO_TOWER_SETTINGS": str(settings)})


@contextmanager
def ended(run: Run) -> Iterator[None]:
    """Stop the embedded Postgres of every machine in the end."""
    try:
        yield
    finally:
        for sandbox in run.sandboxes.values():
            EmbeddedPostgres(sandbox.workspace / ".two_tower" / "postgres").destroy()


def note(run: Run, record: pytest.FixtureRequest | None = None) -> None:
    """Print the log, step by step, and the end of what a failed step said."""
    del record
    print("\n".join(lines_of(run)))
    for line in run.lines:
        if line.outcome == "failure":
            print(line.output[-4000:])


@pytest.fixture(scope="module")
def trained(project: Project, settings: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, Path]]:
    """The job `train` over the project's rows, and where its artifact is kept."""
    artifacts, run = tmp_path_factory.mktemp("artifacts"), Run()
    with ended(run):
        started = trigger(project, settings, use_remote_data=True, publish_artifacts=True)
        WORKFLOW.run(TRAIN, started, tmp_path_factory.mktemp("train"), artifacts, run)
        note(run)
        assert not run.failed(TRAIN)
        yield run, artifacts


def live(project: Project) -> str | None:
    with psycopg.connect(project.database) as connection:
        row = connection.execute("select model_version from public.live_release").fetchone()
    return str(row[0]) if row else None


def version_of(run: Run, job: str) -> str:
    (folder,) = (run.sandboxes[job].workspace / ".two_tower" / "artifacts").iterdir()
    return folder.name


def test_first_it_is_staged_and_then_made_live(
    trained: tuple[Run, Path],
    project: Project,
    settings: Path,
    tmp_path: Path,
    record_property: pytest.RecordProperty,
) -> None:
    """Two runs of `embeddings` on what `train` handed over: the first stores files alone, the second goes live."""
    first, artifacts = trained
    inputs = {"use_remote_data": True, "publish_artifacts": True}
    version = version_of(first, TRAIN)

    staged = Run()
    with ended(staged):
        WORKFLOW.run(EMBEDDINGS, trigger(project, settings, **inputs), tmp_path / "stage", artifacts, staged)
        note(staged)
    assert not staged.failed(EMBEDDINGS)
    assert STAGE in staged.ran(EMBEDDINGS)
    assert RELEASE not in staged.ran(EMBEDDINGS)
    assert live(project) is None
    assert version_of(staged, EMBEDDINGS) == version
    summary = staged.sandboxes[EMBEDDINGS].summary
    assert f"The files of version {version} are staged under tt/v1/{version}/." in summary
    assert "Nothing went live" in summary
    assert "MODEL_ARTIFACT_BASE_URL" not in staged.sandboxes[EMBEDDINGS].exported

    again = artifacts.with_name("again")
    (again / "training").parent.mkdir()
    (artifacts / "training").rename(again / "training")
    released = Run()
    with ended(released):
        inputs["update_embeddings"] = True
        WORKFLOW.run(EMBEDDINGS, trigger(project, settings, **inputs), tmp_path / "live", again, released)
        note(released)
    assert not released.failed(EMBEDDINGS)
    assert live(project) == version
    base = f"{project.storage.url}/storage/v1/object/public/models/tt/v1/current"
    assert released.sandboxes[EMBEDDINGS].exported["MODEL_ARTIFACT_BASE_URL"] == base
    assert f"Version {version} is live." in released.sandboxes[EMBEDDINGS].summary
    for run in (first, staged, released):
        for line in lines_of(run):
            record_property(SEEN, line)


def test_the_second_job_embeds_the_snapshot_that_the_first_trained_on(
    trained: tuple[Run, Path], project: Project, settings: Path, tmp_path: Path
) -> None:
    """A video that appears between the jobs is in no file of the version, whose data are those of the training."""
    run, artifacts = trained
    del run, artifacts, project, settings, tmp_path


def test_a_rehearsal_knows_no_project(project: Project, settings: Path, tmp_path: Path) -> None:
    """Without remote data both jobs go as far as a live release, on the runner alone, and get no key."""
    started = trigger(project, settings, update_embeddings=True)
    run = Run()
    served = len(project.storage.served)
    before = live(project)
    with ended(run):
        for job in (TRAIN, EMBEDDINGS):
            WORKFLOW.run(job, started, tmp_path, tmp_path / "artifacts", run)
        note(run)
    assert not run.failed(TRAIN)
    assert not run.failed(EMBEDDINGS)
    assert REHEARSE in run.ran(EMBEDDINGS)
    assert "a rehearsal that touched no project" in run.sandboxes[EMBEDDINGS].summary
    assert len(project.storage.served) == served
    assert live(project) == before
