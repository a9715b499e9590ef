"""Which source a run reads, and filling a database from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest

from two_tower_assets.environment import Environment, read_environment
from two_tower_assets.errors import DatabaseError, EnvironmentVariableError, SourceDataError
from two_tower_assets.home import Home
from two_tower_assets.settings import SampleSettings, SourceSettings
from two_tower_assets.sources.fill import bring_up_to_date, fill
from two_tower_assets.sources.origin import find_origin

SMALL = SampleSettings(users=20, videos=20, decisions_per_user=5)
URL = "postgresql://me:secret@db.example:5432/rows"


def environment(tmp_path: Path, *, folder: bool = False, url: str | None = None) -> Environment:
    return Environment(Home(tmp_path / "home"), data_folder=tmp_path if folder else None, database_url=url)


@pytest.mark.parametrize(
    ("folder", "url", "kind"), [(False, None, "sample"), (False, URL, "postgres"), (True, URL, "folder")]
)
def test_source_is_found(tmp_path: Path, folder: bool, url: str | None, kind: str) -> None:
    """A folder wins over a database, a database over the sample, and each data set has a name of its own."""
    origin = find_origin(SourceSettings(), environment(tmp_path, folder=folder, url=url))
    assert origin.kind == kind
    assert "secret" not in origin.dataset


def test_unnamed_source_is_refused(tmp_path: Path) -> None:
    """Settings that ask for a folder or a database that no variable names are refused with the variable."""
    with pytest.raises(EnvironmentVariableError, match="TWO_TOWER_DATA"):
        find_origin(SourceSettings(kind="folder"), environment(tmp_path))
    with pytest.raises(EnvironmentVariableError, match="TWO_TOWER_DATABASE_URL"):
        find_origin(SourceSettings(kind="postgres"), environment(tmp_path))


def test_sample_fills_once(database: str, tmp_path: Path) -> None:
    """The sample is loaded, then recognised; the same database as a source of its own is only checked."""
    sample = find_origin(SourceSettings(kind="sample"), environment(tmp_path))
    reports = [fill(database, sample, SMALL) for _ in range(2)]
    assert [report.skipped for report in reports if report] == [False, True]
    assert fill(database, find_origin(SourceSettings(), environment(tmp_path, url=database)), SMALL) is None


def test_empty_postgres_source_is_refused(database: str, tmp_path: Path) -> None:
    """A Postgres that is to be the source and holds nothing is named with its empty table."""
    origin = find_origin(SourceSettings(), environment(tmp_path, url=database))
    with pytest.raises(SourceDataError, match=r"empty \[public\.videos\]"):
        fill(database, origin, SMALL)


def test_somebody_elses_database_is_not_migrated(empty_database: str) -> None:
    """Pending migrations are applied only where that is allowed; otherwise the error names the first."""
    with pytest.raises(DatabaseError, match=r"lacks \d+ migrations, the first is \d{14}_foundation"):
        bring_up_to_date(empty_database, may_migrate=False)
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select to_regclass('public.videos')").fetchone() == (None,)
    assert bring_up_to_date(empty_database, may_migrate=True)
    assert bring_up_to_date(empty_database, may_migrate=False) == ()


PROJECT = "https://abc.supabase.co"


def with_project(tmp_path: Path, **values: Any) -> Environment:
    return Environment(Home(tmp_path / "home"), supabase_url=PROJECT, supabase_key="sb_secret_x", **values)


def test_a_project_with_its_key_is_the_source(tmp_path: Path) -> None:
    """It is found beside another database, a folder wins over it, and no secret is in any name of it."""
    for url in (None, URL):
        origin = find_origin(SourceSettings(), with_project(tmp_path, database_url=url))
        assert (origin.kind, origin.label, origin.is_live) == ("supabase", f"supabase {PROJECT}", True)
    assert "secret" not in repr(origin)
    assert find_origin(SourceSettings(), with_project(tmp_path, data_folder=tmp_path)).kind == "folder"
    keyless = Environment(Home(tmp_path), supabase_url=PROJECT)
    assert find_origin(SourceSettings(), keyless).kind == "sample"


def test_rows_in_the_projects_own_database_are_read_in_place(tmp_path: Path) -> None:
    """One database under two names is no source and copy; who asks for that is refused."""
    same = with_project(tmp_path, database_url=URL, serving_url="postgres://other@DB.example/rows?sslmode=require")
    assert find_origin(SourceSettings(), same).kind == "postgres"
    with pytest.raises(EnvironmentVariableError, match="onto itself") as caught:
        find_origin(SourceSettings(kind="supabase"), same)
    assert "secret" not in str(caught.value)


def test_the_environment_overrides_the_settings(tmp_path: Path) -> None:
    """TWO_TOWER_SOURCE chooses whatever the settings say; an unknown kind is refused with those there are."""
    chosen = with_project(tmp_path, source="sample")
    assert find_origin(SourceSettings(kind="supabase"), chosen).kind == "sample"
    assert read_environment({"TWO_TOWER_SOURCE": "supabase"}, folder=tmp_path).source == "supabase"
    with pytest.raises(EnvironmentVariableError, match=r"'mysql' \[TWO_TOWER_SOURCE\].*sample, folder"):
        read_environment({"TWO_TOWER_SOURCE": "mysql"}, folder=tmp_path)


def test_a_project_that_is_not_named_is_refused(tmp_path: Path) -> None:
    """Without a URL or a key the error names what is missing; a Postgres URL alone is enough, its password unseen."""
    with pytest.raises(EnvironmentVariableError, match="SUPABASE_URL"):
        find_origin(SourceSettings(kind="supabase"), environment(tmp_path))
    with pytest.raises(EnvironmentVariableError, match="SUPABASE_SERVICE_ROLE_KEY"):
        find_origin(SourceSettings(kind="supabase"), Environment(Home(tmp_path), supabase_url=PROJECT))
    direct = find_origin(SourceSettings(kind="supabase"), Environment(Home(tmp_path), serving_url=URL))
    assert direct.label == "supabase db.example:5432/rows"
