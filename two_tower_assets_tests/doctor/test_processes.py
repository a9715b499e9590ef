"""Looks at the home's own servers: never made, running, stopped, and killed."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from two_tower_assets.doctor.processes import look_at_embedded_postgres, look_at_programs, look_at_stack
from two_tower_assets.home import Home
from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import POSTGREST, PostgREST, authenticator_url
from two_tower_assets_tests.conftest import THROW_AWAY
from two_tower_assets_tests.doctor.looks import levels, only


def test_before_anything_was_made(tmp_path: Path) -> None:
    """Nothing is used, and nothing is made by looking."""
    home = Home(tmp_path / "home")
    for look in (look_at_embedded_postgres, look_at_programs, look_at_stack):
        assert levels(look(home)) == ["unused"]
    assert not home.root.exists()


def test_the_embedded_postgres(tmp_path: Path) -> None:
    """It runs, and stopped it is no fault."""
    home = Home(tmp_path / "home")
    postgres = EmbeddedPostgres(home.postgres, settings=THROW_AWAY)
    postgres.start()
    try:
        assert levels(look_at_embedded_postgres(home)) == ["ok"]
        postgres.stop()
        stopped = only(look_at_embedded_postgres(home))
        assert (stopped.level, "is stopped" in stopped.what) == ("unused", True)
    finally:
        postgres.destroy()


def test_a_killed_server_of_the_stack(
    tmp_path: Path, database: str, programs: Path, project_keys: ProjectKeys
) -> None:
    """PostgREST was killed: it is told as lost, with the command that brings it back; stopped it is not."""
    home = Home(tmp_path / "home")
    url = authenticator_url(database, project_keys)
    server = PostgREST(home.stack / "postgrest", database_url=url, keys=project_keys, programs=programs)
    server.start()
    try:
        assert levels(look_at_stack(home)) == ["unused"]
        process = psutil.Process(server._server.record()["pid"])
        process.kill()
        process.wait()
        lost = only(look_at_stack(home))
        assert lost.level == "problem"
        assert "PostgREST ended by itself" in lost.what
        assert "two-tower up" in str(lost.remedy)
    finally:
        server.stop()
    assert levels(look_at_stack(home)) == ["unused"]


def test_the_stack_s_programs(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fetched ones are named; without them npm is needed."""
    pytest.importorskip("deno")
    home = Home(tmp_path / "home")
    home.stack.mkdir(parents=True)
    assert levels(look_at_programs(home)) == ["warning"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert levels(look_at_programs(home)) == ["problem"]
    monkeypatch.undo()
    POSTGREST.find(programs)
    home.programs.symlink_to(programs)
    assert levels(look_at_programs(home)) == ["ok"]
