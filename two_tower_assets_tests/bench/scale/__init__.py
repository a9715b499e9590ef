"""What a bigger catalogue and more users cost the database: up to 400 000 videos and a million users.

How the tables of vectors behave alone. What a release takes as a whole is measured in `bench.releasing`, pages of
features in `bench.database`; `infra/docs/scale.md` says what to set at which size.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from two_tower_assets.database.connection import connect
from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.bench.report import Line
from two_tower_assets_tests.bench.scale.indexes import denser_line, index_lines
from two_tower_assets_tests.bench.scale.users import user_lines, version_line


def measure() -> Iterator[Line]:
    """Fill a throw-away cluster (about 6 GB on disk for some minutes) and grow it."""
    with tempfile.TemporaryDirectory() as folder:
        postgres = EmbeddedPostgres(Path(folder) / "postgres", settings={"fsync": "off"})
        postgres.start()
        try:
            url = postgres.ensure_database("bench")
            migrate(url)
            with connect(url, autocommit=True) as connection:
                yield from index_lines(connection, url, "vector")
                yield from index_lines(connection, url, "halfvec")
                yield denser_line(connection, url)
                yield from user_lines(connection)
                yield version_line(connection)
        finally:
            postgres.destroy()
