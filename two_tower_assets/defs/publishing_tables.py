"""What publishing would change, and whether the live release is whole, in the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.evidence import active_users_for
from two_tower_assets.defs.release_words import size, value
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.publishing.inspection import inspect
from two_tower_assets.publishing.plan import Plan, plan

_MARKS = {True: "✓", False: "✗"}


def print_plan(site: Site) -> None:
    """Print what publishing the newest version would change, and change nothing."""
    console = Console(highlight=False, width=TABLE_WIDTH)
    checkpoint = site.store.load("training/checkpoint")
    users = active_users_for(
        site, checkpoint, site.store.load("features/user_vectors"), site.store.load("sources/decisions")
    )
    found = plan(site.target, checkpoint.folder(site.home), users=users.count, settings=site.settings.release)
    console.print(_facts(found))
    console.print(_files(found))
    for statement in found.statements:
        console.print(f"  {statement}", markup=False, soft_wrap=True)
    if not found.statements:
        console.print("Nothing would change in the database.")


def print_inspection(site: Site) -> bool:
    """Read the live release again everywhere, print what was found, and return whether nothing differs."""
    console = Console(highlight=False, width=TABLE_WIDTH)
    found = inspect(site.target, site.home.artifacts)
    console.print(f"Version {found.model_version} is live.", markup=False)
    for finding in found.findings:
        console.print(f"{_MARKS[not finding.problems]} {finding.what}", markup=False, soft_wrap=True)
        for problem in finding.problems:
            console.print(f"    {problem}", markup=False, soft_wrap=True)
    return found.whole


def _facts(found: Plan) -> Table:
    table = Table(title=f"Publishing {found.model_version} would change", title_justify="left", show_header=False)
    table.add_row("database", found.database)
    table.add_row("bucket", found.bucket)
    table.add_row("live now", value(found.live))
    table.add_row("state of the version", found.state or "unknown there")
    table.add_row("files to upload", f"{sum(not file.stored for file in found.files)}, {size(found.bytes_to_upload)}")
    table.add_row("vectors to copy and index", f"{found.rows:,}")
    table.add_row("users to prepare", "none, they are" if found.users is None else f"{found.users:,}")
    return table


def _files(found: Plan) -> Table:
    table = Table(title="Files", title_justify="left")
    for column in ("path", "bucket", "size", ""):
        table.add_column(column)
    for file in found.files:
        bucket = "private" if file.private else "public"
        table.add_row(file.path, bucket, size(file.size), "stored" if file.stored else "to upload")
    return table
