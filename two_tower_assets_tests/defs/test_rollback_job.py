from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from two_tower_assets.definitions import build_defs
from two_tower_assets.defs.resources import Workspace
from two_tower_assets_tests.defs.two_releases import release_two
from two_tower_assets_tests.publishing.releasing import NEW, OLD, rows, target_at


@pytest.fixture
def two(database: str, versions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home over a database with two releases; NEW is live."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TWO_TOWER_STORAGE_URL", str(tmp_path / "buckets"))
    monkeypatch.setenv("SUPABASE_DB_URL", database)
    monkeypatch.setenv("TWO_TOWER_DATABASE_URL", database)
    release_two(target_at(database, tmp_path / "buckets"), versions, tmp_path / "home" / "artifacts")
    return tmp_path / "home"


def run(home: Path, instance: dg.DagsterInstance, **config: Any) -> dg.ExecuteInProcessResult:
    job = build_defs({"workspace": Workspace(home=str(home))}).resolve_job_def("rollback")
    run_config = {"ops": {"make_an_earlier_release_live": {"config": config}}} if config else None
    return job.execute_in_process(run_config=run_config, instance=instance, raise_on_error=False)


def test_the_job_goes_back_to_what_was_live_before(two: Path, database: str) -> None:
    """Without any configuration: OLD is live, the log names the run, and the release's asset shows it."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(two, instance)
        assert result.success
        observed = instance.fetch_observations(dg.AssetKey(["publishing", "release"]), limit=2).records
    assert rows(database, "select model_version from public.live_release") == [(OLD,)]
    assert rows(database, "select action, note from public.release_log order by id desc limit 1") == [
        ("rollback", f"run {result.run_id}")
    ]
    (record,) = observed
    assert record.asset_observation is not None
    metadata = record.asset_observation.metadata
    assert (metadata["model_version"].value, metadata["previous_version"].value) == (OLD, NEW)
    milliseconds = metadata["milliseconds"].value
    assert isinstance(milliseconds, float)
    assert milliseconds > 0


def test_version_and_note_are_configuration(two: Path, database: str) -> None:
    """Back, and forward again by name."""
    with dg.DagsterInstance.ephemeral() as instance:
        assert run(two, instance).success
        assert run(two, instance, to=NEW, note="it was not worse").success
    assert rows(
        database, "select from_version, to_version, note from public.release_log order by id desc limit 1"
    ) == [(OLD, NEW, "it was not worse")]


def test_what_cannot_be_gone_back_to_fails_with_the_remedy(two: Path, database: str) -> None:
    """An unknown version: the failure shows text and code, and nothing moved."""
    with dg.DagsterInstance.ephemeral() as instance:
        result = run(two, instance, to="20300101T000000Z-0000000")
    assert not result.success
    data = result.failure_data_for_node("make_an_earlier_release_live")
    assert data is not None
    assert data.user_failure_data is not None
    assert "Choose a retired version" in str(data.user_failure_data.description)
    assert data.user_failure_data.metadata["code"].value == "release_refused"
    assert rows(database, "select model_version from public.live_release") == [(NEW,)]


def test_a_misspelt_key_is_refused(two: Path) -> None:
    """`version` instead of `to` rolls nothing back."""
    with dg.DagsterInstance.ephemeral() as instance, pytest.raises(dg.DagsterInvalidConfigError, match="version"):
        run(two, instance, version=OLD)
