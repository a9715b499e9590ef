"""The SQL files: found, read and explained."""

import re
from pathlib import Path

import pytest

from two_tower_assets.database.queries import query, sql_folder

ALL_SQL = sorted(sql_folder().rglob("*.sql"))


def test_there_are_files_of_each_kind() -> None:
    """Migrations, the local shim and named queries are found from the package."""
    assert {path.parent.name for path in ALL_SQL} == {"migrations", "local", "queries"}


@pytest.mark.parametrize("path", ALL_SQL, ids=lambda path: path.name)
def test_every_file_says_its_purpose_first(path: Path) -> None:
    """The first line of a file says what it is for."""
    assert path.read_text(encoding="utf-8").startswith("-- Purpose: ")


@pytest.mark.parametrize("path", ALL_SQL, ids=lambda path: path.name)
def test_keywords_are_lowercase(path: Path) -> None:
    """SQL is written in lowercase."""
    code = re.sub(r"--.*|'[^']*'", "", path.read_text(encoding="utf-8"))
    assert not re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|GRANT|REVOKE|FROM|WHERE)\b", code)


def test_query_is_read_by_name() -> None:
    """A query's name is its file's."""
    assert "schema_migrations" in query("ledger_read")


def test_unknown_query_is_a_broken_invariant() -> None:
    """A misspelt name is found by the first test that runs it."""
    with pytest.raises(AssertionError, match="no_such_query"):
        query("no_such_query")
