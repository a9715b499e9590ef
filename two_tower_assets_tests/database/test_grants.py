"""`sql/grants.txt`, which the doctor compares databases with."""

from __future__ import annotations

import psycopg

from two_tower_assets.database.grants import declared, granted


def test_the_file_is_what_the_migrations_make(database: str) -> None:
    """After a migration that grants or revokes, `write_grants` writes its lines anew."""
    with psycopg.connect(database, autocommit=True) as connection:
        found = granted(connection)
    assert sorted(map(str, declared())) == sorted(map(str, found))
    assert len({grant.name for grant in found}) > 60
