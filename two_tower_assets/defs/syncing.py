"""Synchronising with a Supabase project: for the asset, and for `two-tower sync`."""

from __future__ import annotations

import dataclasses
from typing import Final, Protocol

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.progress import log_progress
from two_tower_assets.defs.site import Site, open_site
from two_tower_assets.sources.fill import bring_up_to_date
from two_tower_assets.sources.origin import find_origin
from two_tower_assets.sources.sync.open import open_sync
from two_tower_assets.sources.sync.report import SyncReport
from two_tower_assets.sources.sync.run import sync

_FIGURES: Final = ("source_rows", "inserted", "changed", "deleted")


class _Log(Protocol):
    def info(self, msg: str, /) -> None: ...


class _Lines:
    """Lines of progress beside the result, so that the result alone can be piped."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)

    def info(self, msg: str, /) -> None:
        self._console.print(msg, markup=False, soft_wrap=True)


def synchronise(site: Site, log: _Log, *, keep: bool = True) -> SyncReport:
    """Bring the project's rows into the pipeline's migrated Postgres.

    Args:
        site: whose origin is a project.
        log: told how far it is, and of requests that have to be repeated.
        keep: whether anything stays.

    Raises:
        SourceDataError: see `sync`.
        RestError, DatabaseError: the source or the pipeline's Postgres cannot be used.
    """
    with open_sync(site.environment, site.origin, site.pipeline_url, keep=keep, reached=log.info) as (source, copy):
        return sync(source, copy, progress=log_progress(log, "rows read"))


def print_sync(*, dry_run: bool) -> None:
    """Synchronise, or with `dry_run` count what would change, and print a line a table."""
    site = _project_site()
    # The schema is brought up to date first, also for counting: there must be something to count against.
    bring_up_to_date(site.pipeline_url, may_migrate=site.owns_database)
    report = synchronise(site, _Lines(), keep=not dry_run)
    console = Console(highlight=False)
    console.print(f"{report.source} over {report.way}", markup=False, soft_wrap=True)
    console.print(_table(report, dry_run=dry_run))
    for note in report.notes():
        console.print(f"- {note}", markup=False, soft_wrap=True)
    if dry_run:
        console.print("No row was changed.")


def _project_site() -> Site:
    """Open the site with the project as its source, whatever a run would read."""
    site = open_site()
    settings = site.settings.source.model_copy(update={"kind": "supabase"})
    environment = dataclasses.replace(site.environment, source=None)
    return dataclasses.replace(site, origin=find_origin(settings, environment))


def _table(report: SyncReport, *, dry_run: bool) -> Table:
    will = "would be " if dry_run else ""
    table = Table("table", "rows at the source", *(f"{will}{what}" for what in _FIGURES[1:]))
    for column in table.columns[1:]:
        column.justify = "right"
    figures = [report.counts(figure) for figure in _FIGURES]
    for row in report.tables:
        table.add_row(row.name, *(f"{figure[row.name]:,}" for figure in figures))
    return table
