"""`two-tower connect`."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from two_tower_assets.defs.connecting import print_connection
from two_tower_assets.environment import read_environment
from two_tower_assets.errors import DatabaseError, EnvironmentVariableError
from two_tower_assets_tests.rest.management_api import TOKEN, management_api


def test_a_named_postgres_is_tried_and_exported(
    database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its URL goes to later steps; the log is told its password only by the command that hides it."""
    file = tmp_path / "env"
    variables = {"SUPABASE_DB_URL": database, "GITHUB_ENV": str(file)}
    print_connection(read_environment(variables, folder=tmp_path))
    assert file.read_text() == f"SUPABASE_DB_URL={database}\n"
    password = urlsplit(database).password
    assert password
    hidden, *rest = capsys.readouterr().out.splitlines()
    assert hidden == f"::add-mask::{password}"
    assert rest
    assert not any(password in line for line in rest)


def test_outside_a_job_nothing_is_masked(database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A terminal would show what a runner hides."""
    print_connection(read_environment({"SUPABASE_DB_URL": database}, folder=tmp_path))
    assert str(urlsplit(database).password) not in capsys.readouterr().out


def test_a_project_is_looked_up(tmp_path: Path) -> None:
    """Without a URL the Management API is asked; a pooler that lets nobody in is an error without the password."""
    variables = {
        "SUPABASE_PROJECT_ID": "abc",
        "SUPABASE_DB_PASSWORD": "secret-password",
        "SUPABASE_ACCESS_TOKEN": TOKEN,
        "GITHUB_ENV": str(tmp_path / "env"),
    }
    with management_api() as api:
        pooler = {"database_type": "PRIMARY", "db_host": "pooler.invalid", "db_user": "u", "db_name": "d"}
        api.poolers["abc"] = [pooler]
        with pytest.raises(DatabaseError, match=r"pooler\.invalid") as caught:
            print_connection(read_environment(variables, folder=tmp_path), api=api.url)
    assert "secret-password" not in str(caught.value)
    assert not (tmp_path / "env").exists()


def test_nothing_named_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Reading over REST goes on; what needs the database names the variable."""
    environment = read_environment({"SUPABASE_PROJECT_ID": "abc"}, folder=tmp_path)
    print_connection(environment)
    assert "nothing can be published" in capsys.readouterr().out
    with pytest.raises(EnvironmentVariableError, match="SUPABASE_DB_URL"):
        _ = environment.required_serving_url
