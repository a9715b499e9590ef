"""Commands of the database, the source and the settings."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from two_tower_assets.environment import read_environment
from two_tower_assets.settings import as_toml, load_settings
from two_tower_assets.settings.script_pipeline import to_toml


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would be applied and change nothing.")
@click.option("--url", envvar="TWO_TOWER_DATABASE_URL", help="Postgres to migrate; the pipeline's own by default.")
@click.option("--serving", is_flag=True, help="Migrate the one that SUPABASE_DB_URL names.")
def migrate(*, dry_run: bool, url: str | None, serving: bool) -> None:
    """Bring a Postgres up to date with the SQL of this version."""
    from two_tower_assets.database.migrate import migrate as apply
    from two_tower_assets.defs.site import open_site

    target = read_environment().required_serving_url if serving else url or open_site().pipeline_url
    applied = apply(target, dry_run=dry_run)
    for migration in applied:
        click.echo(f"{'would apply' if dry_run else 'applied'} {migration}")
    if not applied:
        click.echo("up to date")


@click.command()
@click.option("--dry-run", is_flag=True, help="Count what would be inserted, changed and deleted; change no row.")
def sync(*, dry_run: bool) -> None:
    """Bring the rows of the Supabase project into the pipeline's own Postgres: new, changed and deleted ones.

    Reads SUPABASE_URL with its service role key, or SUPABASE_DB_URL where it is set.
    """
    from two_tower_assets.defs.syncing import print_sync

    print_sync(dry_run=dry_run)


@click.command()
def connect() -> None:
    """Log in to the project's Postgres, and export SUPABASE_DB_URL to later steps of a GitHub job.

    Reads SUPABASE_DB_URL; where it is not set, SUPABASE_PROJECT_ID, SUPABASE_DB_PASSWORD and SUPABASE_ACCESS_TOKEN,
    with which Supabase says where the project's pooler is.
    """
    from two_tower_assets.defs.connecting import print_connection

    print_connection(read_environment())


@click.command()
@click.option(
    "--from-yaml",
    "older",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Print the script pipeline's settings, config/default.yaml, in that form instead.",
)
def settings(older: Path | None) -> None:
    """Print the effective settings with their descriptions, in the form of the settings file."""
    if older:
        click.echo(to_toml(older.read_bytes(), where=str(older)))
    else:
        click.echo(as_toml(load_settings(read_environment().settings_file)))


COMMANDS: Final = (
    migrate,
    sync,
    connect,
    settings,
)
