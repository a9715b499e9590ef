"""Run as a program after a migration that grants or revokes: write `sql/grants.txt` anew."""

from __future__ import annotations

import tempfile
from pathlib import Path

from two_tower_assets.database.connection import connect
from two_tower_assets.database.grants import FILE, granted
from two_tower_assets.database.migrate import migrate
from two_tower_assets.database.queries import sql_folder
from two_tower_assets.home import write_text
from two_tower_assets.local.postgres import EmbeddedPostgres

HEADER = """\
# What a freshly migrated database lets anon, authenticated and service_role do, as sql/queries/grants.sql tells it.
# Written by `python -m two_tower_assets_tests.database.write_grants`.
"""


def main() -> None:
    """Migrate a database of its own, and write down what it says."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres")
        postgres.start()
        try:
            url = postgres.ensure_database("grants")
            migrate(url)
            with connect(url, autocommit=True) as connection:
                lines = sorted(map(str, granted(connection)))
        finally:
            postgres.destroy()
    write_text(sql_folder() / FILE, HEADER + "".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
