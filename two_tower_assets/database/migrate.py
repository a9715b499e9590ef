"""Bringing a database up to date with `sql/migrations/`: each file once, whole, and by one migrator at a time.

The same files can be pushed with the Supabase CLI; each tool records what it ran where the other sees it.
What does not live here: the SQL itself, and the rows (`sources.load`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.rows import TupleRow

from two_tower_assets.database.advisory_lock import hold, release
from two_tower_assets.database.connection import without_password
from two_tower_assets.database.pooling import connect_to_own_session
from two_tower_assets.database.queries import query, sql_folder
from two_tower_assets.errors import DatabaseError, MigrationError

LOCK_KEY: Final = 0x74776F5F746F7765
"""Advisory lock of the migrator: the bytes of `two_towe`."""
LOCK_WAIT_SECONDS: Final = 60.0
MINIMUM_PGVECTOR: Final = (0, 8)
"""The first version with iterative index scans, without which a filtered search returns too few rows."""

_FILE_NAME: Final = re.compile(r"^(\d{14})_([a-z0-9_]+)\.sql$")

Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True)
class Migration:
    """One file of `sql/migrations/`."""

    version: str
    name: str
    path: Path
    text: str

    @property
    def checksum(self) -> str:
        """Hex SHA-256 of the file's text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class AppliedMigration:
    """What one call of `migrate` did, or in a dry run would do, with one file."""

    version: str
    name: str
    adopted: bool
    """The Supabase CLI had pushed it already; it was recorded, not run."""


def migrate(
    url: str, *, dry_run: bool = False, folder: Path | None = None, lock_wait: float = LOCK_WAIT_SECONDS
) -> tuple[AppliedMigration, ...]:
    """Run every migration that the database at `url` has not seen, each in a transaction of its own.

    On a plain Postgres the local shim (roles, schema `auth`) is laid first. Running it again changes nothing.
    The lock belongs to the session: a pooler in transaction mode is refused.

    Args:
        url: the database; its user must own it.
        dry_run: change nothing, only say what would run.
        folder: the folder of migrations, by default this project's.
        lock_wait: seconds to wait for another migrator before giving up.

    Returns:
        The migrations applied (or, in a dry run, pending), in order.

    Raises:
        DatabaseError: there is no connection or it is a pooler's in transaction mode, or pgvector is missing or
            older than 0.8.
        MigrationError: a file was changed after it ran, the database is newer than this code, a file fails, or
            another migrator holds the lock for longer than `lock_wait`.
    """
    migrations = read_migrations(folder or sql_folder() / "migrations")
    with connect_to_own_session(url) as connection:
        _require_pgvector(connection, url)
        if dry_run:
            return _pending(connection, migrations)
        with _only_migrator(connection, url, lock_wait):
            _lay_shim(connection, url)
            _run(connection, query("ledger_create"), where="sql/queries/ledger_create.sql")
            return tuple(_apply_all(connection, migrations))


def read_migrations(folder: Path) -> tuple[Migration, ...]:
    """Read the migration files of `folder` in the order of their versions.

    Raises:
        MigrationError: a file is not named `<14 digits>_<name>.sql`, or two files share a version.
    """
    migrations = tuple(_read_migration(path) for path in sorted(folder.glob("*.sql")))
    versions = [migration.version for migration in migrations]
    for migration, following in zip(migrations, versions[1:], strict=False):
        if migration.version == following:
            raise MigrationError(
                f"Two migrations share the version {migration.version}",
                where=str(migration.path),
                remedy="Give the newer one a later timestamp.",
            )
    return migrations


def _read_migration(path: Path) -> Migration:
    match = _FILE_NAME.match(path.name)
    if match is None:
        raise MigrationError(
            "A migration is misnamed",
            where=str(path),
            remedy="Name it <yyyymmddhhmmss>_<lowercase_words>.sql.",
        )
    return Migration(version=match[1], name=match[2], path=path, text=path.read_text(encoding="utf-8"))


def _require_pgvector(connection: Connection, url: str) -> None:
    row = connection.execute(query("pgvector_versions")).fetchone()
    assert row is not None
    installed, available = row
    version = installed or available
    if version is None:
        raise DatabaseError(
            "The server has no pgvector",
            where=without_password(url),
            remedy="Install pgvector 0.8 or newer on the server (on Debian: postgresql-<major>-pgvector).",
        )
    if tuple(int(part) for part in version.split(".")[:2]) < MINIMUM_PGVECTOR:
        raise DatabaseError(
            f"pgvector {version} has no iterative index scans",
            where=without_password(url),
            remedy="Upgrade the server's pgvector to 0.8 or newer, then run `alter extension vector update`.",
        )


@contextmanager
def _only_migrator(connection: Connection, url: str, patience: float) -> Iterator[None]:
    if holder := hold(connection, LOCK_KEY, wait=patience):
        raise MigrationError(
            f"Another migrator has been at work for more than {patience:g} s: {holder}",
            where=without_password(url),
            remedy="Wait for it, or end it with `select pg_terminate_backend(<pid>)` when it is stuck.",
        )
    try:
        yield
    finally:
        release(connection, LOCK_KEY)


def _lay_shim(connection: Connection, url: str) -> None:
    row = connection.execute(query("is_supabase")).fetchone()
    if row is not None and row[0]:
        return
    for path in sorted((sql_folder() / "local").glob("*.sql")):
        try:
            _run(connection, path.read_text(encoding="utf-8"), where=path.name)
        except MigrationError as error:
            raise DatabaseError(
                f"The roles and the schema auth cannot be made: {error.what}",
                where=without_password(url),
                remedy="Migrate a plain Postgres as a superuser the first time.",
            ) from None


def _apply_all(connection: Connection, migrations: tuple[Migration, ...]) -> Iterator[AppliedMigration]:
    by_version = {migration.version: migration for migration in migrations}
    records_for_cli = _ledgers(connection).cli
    for step in _pending(connection, migrations):
        migration = by_version[step.version]
        with connection.transaction():
            if not step.adopted:
                _run(connection, migration.text, where=migration.path.name)
            _record(connection, migration, adopted=step.adopted, for_cli=records_for_cli)
        yield step


def _pending(connection: Connection, migrations: tuple[Migration, ...]) -> tuple[AppliedMigration, ...]:
    ledgers = _ledgers(connection)
    recorded = _recorded(connection) if ledgers.ours else {}
    _refuse_newer_database(recorded, migrations)
    _refuse_changed_files(recorded, migrations)
    pushed = _pushed_by_cli(connection) if ledgers.cli else frozenset()
    return tuple(
        AppliedMigration(migration.version, migration.name, adopted=migration.version in pushed)
        for migration in migrations
        if migration.version not in recorded
    )


@dataclass(frozen=True)
class _Ledgers:
    ours: bool
    cli: bool


def _ledgers(connection: Connection) -> _Ledgers:
    row = connection.execute(query("ledger_exists")).fetchone()
    assert row is not None
    return _Ledgers(*row)


def _recorded(connection: Connection) -> Mapping[str, tuple[str, str]]:
    """Return version → (name, checksum) of what has run."""
    rows = connection.execute(query("ledger_read")).fetchall()
    return {version: (name, checksum) for version, name, checksum in rows}


def _pushed_by_cli(connection: Connection) -> frozenset[str]:
    return frozenset(row[0] for row in connection.execute(query("cli_ledger_read")).fetchall())


def _refuse_newer_database(recorded: Mapping[str, tuple[str, str]], migrations: tuple[Migration, ...]) -> None:
    unknown = sorted(recorded.keys() - {migration.version for migration in migrations})
    if unknown:
        names = ", ".join(f"{version}_{recorded[version][0]}" for version in unknown)
        raise MigrationError(
            f"The database is newer than this code: it has run {names}",
            where="two_tower.schema_migrations",
            remedy="Install the version of two-tower-assets that has these files.",
        )


def _refuse_changed_files(recorded: Mapping[str, tuple[str, str]], migrations: tuple[Migration, ...]) -> None:
    for migration in migrations:
        if migration.version in recorded and recorded[migration.version][1] != migration.checksum:
            raise MigrationError(
                "A migration was changed after it ran",
                where=migration.path.name,
                remedy="Restore the file's text and put the change into a new migration.",
            )


def _record(connection: Connection, migration: Migration, *, adopted: bool, for_cli: bool) -> None:
    values: dict[str, Any] = {"version": migration.version, "name": migration.name}
    connection.execute(query("ledger_record"), {**values, "checksum": migration.checksum, "adopted": adopted})
    if for_cli:
        connection.execute(query("cli_ledger_record"), {**values, "statements": [migration.text]})


def _run(connection: Connection, text: str, *, where: str) -> None:
    """Run a file of statements as one transaction (or within the one that is open)."""
    try:
        with connection.transaction():
            connection.execute(text)
    except psycopg.Error as error:
        raise MigrationError(
            f"A migration fails: {_explain(error, text)}",
            where=where,
            remedy="Nothing of this file was kept. Mend what the message names and migrate again.",
        ) from error


def _explain(error: psycopg.Error, text: str) -> str:
    said = (error.diag.message_primary or str(error), error.diag.message_detail, error.diag.message_hint)
    detail = ". ".join(part.rstrip(".") for part in said if part)
    if error.diag.statement_position is None:
        return detail
    line = text[: int(error.diag.statement_position)].count("\n") + 1
    return f"line {line}: {detail}"
