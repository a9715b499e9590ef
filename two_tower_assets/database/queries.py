"""The SQL files of the project: where they lie, and one named query at a time.

The text is in `sql/`: `migrations/` (what a database is made of), `local/` (what Supabase brings and a plain
Postgres lacks) and `queries/` (what Python asks, one file a query). What does not live here: running them.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

_PACKAGE: Final = Path(__file__).resolve().parent.parent


def sql_folder() -> Path:
    """Return the folder `sql/`: inside the package when installed from a wheel, else beside it in the repository."""
    installed = _PACKAGE / "_sql"
    return installed if installed.is_dir() else _PACKAGE.parent / "sql"


@cache
def query(name: str) -> str:
    """Return the text of `sql/queries/<name>.sql`."""
    path = sql_folder() / "queries" / f"{name}.sql"
    assert path.is_file(), f"there is no named query {name!r} in {path.parent}"
    return path.read_text(encoding="utf-8")
