"""`train-two-tower.yml` with a project's rows: every `run:` step of both jobs, in order, in fresh clones."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pyarrow.parquet as pq
import pytest

from two_tower_assets.contract import Files
from two_tower_assets_tests.seen import SEEN
from two_tower_assets_tests.workflows.conftest import Project
from two_tower_assets_tests.workflows.runner.workflow import Run
from two_tower_assets_tests.workflows.training import (
    EMBEDDINGS,
    MIGRATE,
    RELEASE,
    STAGE,
    TRAIN,
    WORKFLOW,
    running,
    started,
    version_of,
)

LATE = "11111111-1111-4111-8111-111111111111"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where artifacts wait between the jobs."""
    return tmp_path_factory.mktemp("artifacts")


@pytest.fixture(scope="module")
def trained(project: Project, settings: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The job `train`; a video comes into the catalogue after it."""
    trigger = started(project, settings, use_remote_data=True, publish_artifacts=True)
    with running() as run:
        WORKFLOW.run(TRAIN, trigger, tmp_path_factory.mktemp("train"), kept, run)
        with psycopg.connect(project.database) as connection:
            connection.execute("insert into public.videos (id) values (%s)", (LATE,))
        yield run


@pytest.fixture(scope="module")
def staged(
    trained: Run, project: Project, settings: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """The job `embeddings` after it, asked to store the files alone."""
    assert not trained.failed(TRAIN), trained.report
    trigger = started(project, settings, use_remote_data=True, publish_artifacts=True)
    with running() as run:
        WORKFLOW.run(EMBEDDINGS, trigger, tmp_path_factory.mktemp("staged"), kept, run)
        yield run


@pytest.fixture(scope="module")
def released(
    staged: Run, project: Project, settings: Path, kept: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    """The job `embeddings` once more, on the same training, asked to make it live."""
    assert not staged.failed(EMBEDDINGS), staged.report
    assert live(project) is None
    (kept / "version").rename(kept / "version of the run before")
    trigger = started(project, settings, use_remote_data=True, update_embeddings=True)
    with running() as run:
        WORKFLOW.run(EMBEDDINGS, trigger, tmp_path_factory.mktemp("released"), kept, run)
        yield run


def live(project: Project) -> str | None:
    with psycopg.connect(project.database) as connection:
        row = connection.execute("select model_version from public.live_release").fetchone()
    return str(row[0]) if row else None


def test_train_shows_metrics_and_plots(trained: Run) -> None:
    """The job succeeds, and its page has the table of methods, the gate's answers and three plots."""
    assert not trained.failed(TRAIN), trained.report
    assert MIGRATE in trained.ran(TRAIN)
    summary = trained.sandboxes[TRAIN].summary
    assert "| two_tower |" in summary
    assert "The gate lets this model pass." in summary
    assert summary.count("```mermaid\nxychart-beta") == 3
    assert "nothing was published and nothing went live" in summary


def test_publishing_the_artifacts_alone_makes_nothing_live(staged: Run, trained: Run, project: Project) -> None:
    """The files lie under the version's name, the page says that nothing went live, no later step is told a URL."""
    assert not staged.failed(EMBEDDINGS), staged.report
    assert STAGE in staged.ran(EMBEDDINGS)
    assert RELEASE not in staged.ran(EMBEDDINGS)
    version = version_of(trained, TRAIN)
    summary = staged.sandboxes[EMBEDDINGS].summary
    assert f"The files of version {version} are staged under tt/v1/{version}/." in summary
    assert "Nothing went live" in summary
    uploads = [served.path for served in project.storage.served if served.method in {"POST", "PUT"}]
    assert any(path.endswith(f"/models/tt/v1/{version}/{Files.MANIFEST}") for path in uploads)
    assert not any("/current/" in path for path in uploads)
    assert "MODEL_ARTIFACT_BASE_URL" not in staged.sandboxes[EMBEDDINGS].exported


def test_the_snapshot_of_the_training_is_embedded(staged: Run, trained: Run) -> None:
    """The version of the first job is completed, from its snapshot: a video that came between has no vector."""
    assert not staged.failed(EMBEDDINGS), staged.report
    version = version_of(trained, TRAIN)
    assert version_of(staged, EMBEDDINGS) == version
    (snapshot,) = (trained.sandboxes[TRAIN].workspace / ".two_tower" / "snapshots").glob("*/snapshot.json")
    folder = staged.sandboxes[EMBEDDINGS].workspace / ".two_tower" / "artifacts" / version
    meta = json.loads((folder / Files.MODEL_META).read_text())
    assert meta["data"]["content_hash"] == json.loads(snapshot.read_text())["content_hash"]
    embedded = set(pq.read_table(folder / Files.VIDEO_EMBEDDINGS)["video_id"].to_pylist())
    assert LATE not in embedded
    assert embedded <= set(pq.read_table(snapshot.with_name("videos.parquet"))["id"].to_pylist())


def test_updating_the_embeddings_makes_it_live(released: Run, trained: Run, project: Project) -> None:
    """The version goes live, is read again, and later steps are told where its files are."""
    assert not released.failed(EMBEDDINGS), released.report
    version = version_of(trained, TRAIN)
    assert live(project) == version
    base = f"{project.storage.url}/storage/v1/object/public/models/tt/v1/current"
    assert released.sandboxes[EMBEDDINGS].exported["MODEL_ARTIFACT_BASE_URL"] == base
    assert f"Version {version} is live." in released.sandboxes[EMBEDDINGS].summary
    assert base in released.sandboxes[EMBEDDINGS].summary


def test_the_version_is_kept_without_the_page_that_shows_people(released: Run, trained: Run, kept: Path) -> None:
    """The last artifact has the model's files and not the report."""
    assert not released.failed(EMBEDDINGS), released.report
    folder = kept / "version" / version_of(trained, TRAIN)
    assert (folder / Files.USER_TOWER).exists()
    assert not (folder / Files.REPORT).exists()


def test_no_step_prints_a_secret(
    trained: Run, staged: Run, released: Run, project: Project, record_property: pytest.RecordProperty
) -> None:
    """Neither the key nor the database's password stands in what steps print or show."""
    runs = (trained, staged, released)
    for run in runs:
        assert not any(secret in run.public_text for secret in project.confidential)
    steps = "\n".join(str(line) for run in runs for line in run.lines)
    record_property(SEEN, f"train-two-tower.yml, step by step: trained, staged, made live\n{steps}")
