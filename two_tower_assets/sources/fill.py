"""From an origin to a Postgres that holds its rows: the schema brought up to date, the rows loaded or checked."""

from __future__ import annotations

from two_tower_assets.database.migrate import AppliedMigration, migrate
from two_tower_assets.errors import DatabaseError
from two_tower_assets.progress import Progress, silent
from two_tower_assets.settings import SampleSettings
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.load import LoadReport, load
from two_tower_assets.sources.origin import Origin
from two_tower_assets.sources.requirements import check_source
from two_tower_assets.sources.sample import generate_sample


def bring_up_to_date(url: str, *, may_migrate: bool) -> tuple[AppliedMigration, ...]:
    """Apply what is pending, or refuse where the database is somebody's own and nobody asked.

    Raises:
        DatabaseError: migrations are pending and `may_migrate` is false.
    """
    pending = migrate(url, dry_run=not may_migrate)
    if pending and not may_migrate:
        raise DatabaseError(
            f"The database lacks {len(pending)} migrations, the first is {pending[0].version}_{pending[0].name}",
            where="two_tower.schema_migrations",
            remedy="See what they change with `two-tower migrate --dry-run`, then run `two-tower migrate`.",
        )
    return pending


def fill(url: str, origin: Origin, sample: SampleSettings, *, progress: Progress = silent) -> LoadReport | None:
    """Make a migrated database hold the rows of `origin`; rows that are there already are only checked.

    Returns:
        What was loaded; None where the database itself is the origin.
    """
    if origin.kind == "postgres":
        check_source(url)
        return None
    tables = generate_sample(sample) if origin.folder is None else read_folder(origin.folder)
    return load(url, tables, source=origin.label, progress=progress)
