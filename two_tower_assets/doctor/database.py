"""Is a Postgres fit for the pipeline or for serving: session, pgvector, migrations?

What does not live here: who may do what in it (`grants`), and what is released in it (`release`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from two_tower_assets.database.connection import connect, without_password
from two_tower_assets.database.migrate import MINIMUM_PGVECTOR, migrate
from two_tower_assets.database.pooling import connect_to_own_session
from two_tower_assets.database.queries import query
from two_tower_assets.doctor.finding import Finding, ok, problem, warning

FIXED_PGVECTOR: Final = (0, 8, 4)
"""Older ones have bugs in their indexes."""


@dataclass(frozen=True)
class Database:
    """One Postgres, and whether it is this home's own."""

    url: str = field(repr=False)
    own: bool
    """The embedded one, which may be migrated without asking."""

    @property
    def where(self) -> str:
        """Its URL without the password."""
        return without_password(self.url)


def look_at_session(database: Database) -> Iterator[Finding]:
    """Connect as writers do: a pooler in transaction mode is refused."""
    with connect_to_own_session(database.url) as connection:
        yield ok(
            f"Postgres {connection.info.parameter_status('server_version')}, a session of one's own",
            where=database.where,
        )


def look_at_pgvector(database: Database) -> Iterator[Finding]:
    """Compare the version that is installed with what the indexes need."""
    with connect(database.url, autocommit=True) as connection:
        row = connection.execute(query("pgvector_versions")).fetchone()
    assert row is not None
    installed, available = row
    if installed is None and available is None:
        package = "Install pgvector 0.8.4 or newer on the server (on Debian: postgresql-<major>-pgvector)."
        yield problem("the server has no pgvector", where=database.where, remedy=package)
    elif installed is None:
        yield problem(
            f"pgvector {available} is there but not installed in this database",
            where=database.where,
            remedy="two-tower migrate",
        )
    else:
        yield _pgvector_age(installed, available, database)


def _pgvector_age(installed: str, available: str | None, database: Database) -> Finding:
    numbers = tuple(int(part) for part in installed.split("."))
    newer = available is not None and tuple(int(part) for part in available.split(".")) > numbers
    remedy = "alter extension vector update" if newer else "Upgrade pgvector on the server to 0.8.4 or newer."
    where = database.where
    if numbers < MINIMUM_PGVECTOR:
        return problem(f"pgvector {installed} has no iterative index scans", where=where, remedy=remedy)
    if numbers < FIXED_PGVECTOR:
        return warning(
            f"pgvector {installed}: versions below 0.8.4 have bugs in their indexes", where=where, remedy=remedy
        )
    return ok(f"pgvector {installed}", where=where)


def look_at_migrations(database: Database) -> Iterator[Finding]:
    """Say which files of `sql/migrations` the database has not seen."""
    pending = migrate(database.url, dry_run=True)
    if not pending:
        yield ok("all migrations are applied", where=database.where)
        return
    names = ", ".join(f"{step.version}_{step.name}" for step in pending)
    yield problem(
        f"{len(pending)} migrations are pending: {names}",
        where=database.where,
        remedy="two-tower migrate",
        fix=_migrating(database) if database.own else None,
    )


def _migrating(database: Database) -> Callable[[], str]:
    return lambda: f"applied {len(migrate(database.url))} migrations"
