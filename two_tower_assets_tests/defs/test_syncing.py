"""`two-tower sync` and the asset `sources/database`, with a project behind a real PostgREST as the source."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from two_tower_assets.cli import main
from two_tower_assets.defs.assets.sources import database as database_asset
from two_tower_assets.defs.resources import PointerIOManager, Workspace
from two_tower_assets.local.keys import ProjectKeys
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.local.postgrest import PostgREST
from two_tower_assets_tests.conftest import _database
from two_tower_assets_tests.publishing.gateway import gateway
from two_tower_assets_tests.sources.sync.project import DECISIONS, contents, fill, run


@pytest.fixture
def copy_url(cluster: EmbeddedPostgres, migrated_template: str) -> Iterator[str]:
    yield from _database(cluster, template=migrated_template)


@pytest.fixture(autouse=True)
def rows(database: str) -> None:
    """The project's rows."""
    fill(database)


@pytest.fixture(autouse=True)
def variables(
    copy_url: str, postgrest: PostgREST, project_keys: ProjectKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A project, named by its URL and key, and a database of one's own."""
    monkeypatch.chdir(tmp_path)
    with gateway(postgrest.url) as front:
        for name, value in {
            "SUPABASE_URL": front.url,
            "SUPABASE_SERVICE_ROLE_KEY": project_keys.service_role,
            "TWO_TOWER_DATABASE_URL": copy_url,
            "TWO_TOWER_HOME": str(tmp_path / "home"),
        }.items():
            monkeypatch.setenv(name, value)
        yield


def test_dry_run_says_what_a_sync_then_does(database: str, copy_url: str, project_keys: ProjectKeys) -> None:
    """Both print a line a table with the same figures; only the second changes rows; no secret is printed."""
    empty = contents(copy_url)
    would = CliRunner().invoke(main, ["sync", "--dry-run"])
    assert would.exit_code == 0, would.output
    assert "No row was changed." in would.output
    assert contents(copy_url) == empty
    done = CliRunner().invoke(main, ["sync"])
    assert contents(copy_url) == contents(database)
    for output in (would.output, done.output):
        assert f"{DECISIONS:,}" in output
        assert project_keys.service_role not in output


def test_a_refusal_is_one_paragraph(copy_url: str) -> None:
    """Rows that no sync put there end in an error with its code and without a traceback."""
    run(copy_url, "insert into videos (id) values (gen_random_uuid())")
    answer = CliRunner().invoke(main, ["sync"])
    assert answer.exit_code == 1
    assert "(source_data_invalid)" in answer.output
    assert "Traceback" not in answer.output


@pytest.mark.filterwarnings("ignore:InitResourceContext.dagster_run is deprecated")
def test_the_asset_brings_the_rows_and_knows_them_again(database: str, copy_url: str) -> None:
    """The project is found without being asked for; a second run finds the same data version, news another one."""
    versions = [_materialize() for _ in range(2)]
    assert contents(copy_url) == contents(database)
    assert versions[0] == versions[1]
    run(database, "delete from user_video_decisions where user_id = md5('u7')::uuid")
    assert _materialize() != versions[0]


def _materialize() -> str:
    workspace = Workspace()
    resources = {"workspace": workspace, "pointers": PointerIOManager(workspace=workspace)}
    done = dg.materialize([database_asset], resources=resources)
    [made] = done.asset_materializations_for_node("sources__database")
    return str((made.tags or {})["dagster/data_version"])
