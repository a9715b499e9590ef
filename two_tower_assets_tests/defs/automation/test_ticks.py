from __future__ import annotations

from pathlib import Path

import dagster as dg
import pytest

from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.defs.automation.ticking import Live, tick
from two_tower_assets_tests.publishing.releasing import target_at

SENSORS = ("retrain_on_news", "embed_new_videos_when_missing", "refresh_users_who_decided")


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_tick_starts_no_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance, sensor: str
) -> None:
    """Where the embedded Postgres does not run, the tick says how to start it, and makes not even its folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("TWO_TOWER_DATABASE_URL", "SUPABASE_DB_URL", "TWO_TOWER_DATA"):
        monkeypatch.delenv(name, raising=False)
    live = Live("", tmp_path / "home", target_at("", tmp_path / "buckets"))
    said = tick(live, sensor, instance).skipped or ""
    assert "The embedded Postgres does not run" in said
    assert "two-tower env" in said
    assert not EmbeddedPostgres(live.home / "postgres").folder.exists()


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_database_that_does_not_answer_is_a_reason_to_skip(
    empty: Live, monkeypatch: pytest.MonkeyPatch, instance: dg.DagsterInstance, sensor: str
) -> None:
    """With what to check, and without the password."""
    monkeypatch.setenv("SUPABASE_DB_URL", "postgresql://someone:hidden-word@127.0.0.1:9/none")
    said = tick(empty, sensor, instance).skipped or ""
    assert "Check that the server runs" in said
    assert "hidden-word" not in said


@pytest.mark.parametrize("sensor", SENSORS)
def test_a_cursor_of_another_program_is_forgotten(empty: Live, instance: dg.DagsterInstance, sensor: str) -> None:
    """It is no error."""
    assert "Start the job `release`" in (tick(empty, sensor, instance, "2026-01-01").skipped or "")
