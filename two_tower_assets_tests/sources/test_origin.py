"""Which source a run reads, and filling a database from it."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from two_tower_assets.environment import Environment
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
