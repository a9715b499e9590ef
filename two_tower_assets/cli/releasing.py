"""Commands about releases: making one live, looking at one, going back."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from two_tower_assets.cli.dagster_commands import materialize
from two_tower_assets.cli.groups import data_option
from two_tower_assets.environment import read_environment

_PUBLISHED: Final = 'key:"publishing/*"'
_STAGED: Final = f'{_PUBLISHED} and not key:"publishing/release"'


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would change: files, rows, SQL, target. Change nothing.")
@click.option("--stage-only", is_flag=True, help="Write and verify, and leave what is live: ready for an experiment.")
@data_option
def publish(*, dry_run: bool, stage_only: bool, data: Path | None) -> None:
    """Publish the newest version that was trained: write beside, verify, flip."""
    from two_tower_assets.defs.publishing_tables import print_plan
    from two_tower_assets.defs.site import open_site

    if dry_run:
        print_plan(open_site(data_folder=data))
    else:
        materialize(_STAGED if stage_only else _PUBLISHED, data)


@click.command()
@click.option(
    "--functions", "url", metavar="URL", help="Look at a deployment instead: SUPABASE_URL or /functions/v1."
)
@data_option
@click.pass_context
def verify(context: click.Context, data: Path | None, url: str | None) -> None:
    """Read the live release again wherever it lies, and say what differs; exits with 1 when anything does.

    With --functions both Edge Functions of a deployment are called: they must answer with the live version, give
    its golden vectors and a real user's vector, and refuse whom they must. Reads SUPABASE_SERVICE_ROLE_KEY and, where
    set, SUPABASE_ANON_KEY, SUPABASE_JWT_SECRET or SUPABASE_USER_TOKEN, MODEL_ARTIFACT_BASE_URL.
    """
    if url:
        from two_tower_assets.defs.deployment_table import print_deployment

        whole = print_deployment(read_environment(), url)
    else:
        from two_tower_assets.defs.publishing_tables import print_inspection
        from two_tower_assets.defs.site import open_site

        whole = print_inspection(open_site(data_folder=data))
    if not whole:
        context.exit(1)


@click.command()
@click.option("--markdown", is_flag=True, help="For GitHub's step summary, with plots.")
@data_option
def summary(*, markdown: bool, data: Path | None) -> None:
    """Say how good the newest model is, what the gate says of it, and how far it was published."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.summary_page import print_page

    print_page(open_site(data_folder=data), markdown=markdown)


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
@data_option
def releases(*, as_json: bool, data: Path | None) -> None:
    """List every release of the serving database, newest first."""
    from two_tower_assets.defs.release_list import print_releases
    from two_tower_assets.defs.site import open_site

    print_releases(open_site(data_folder=data), as_json=as_json)


@click.group()
def release() -> None:
    """Look at one release, or at two side by side."""


@release.command()
@click.argument("version", required=False)
@data_option
def show(version: str | None, data: Path | None) -> None:
    """Show everything about VERSION: state, who, evidence, sizes, flips. The live one by default."""
    from two_tower_assets.defs.release_tables import print_release
    from two_tower_assets.defs.site import open_site

    print_release(open_site(data_folder=data), version)


@release.command()
@click.argument("before")
@click.argument("after", required=False)
@data_option
def diff(before: str, after: str | None, data: Path | None) -> None:
    """Show what differs between two versions: figures, settings, data, files, videos. AFTER is the live one."""
    from two_tower_assets.defs.release_tables import print_release_diff
    from two_tower_assets.defs.site import open_site

    print_release_diff(open_site(data_folder=data), before, after)


@click.command()
@click.option("--to", metavar="VERSION", help="Version to go back to; by default the one that was live before.")
@click.option("--note", help="Kept in the release log.")
@data_option
def rollback(to: str | None, note: str | None, data: Path | None) -> None:
    """Make an earlier release live again by moving the pointer."""
    from two_tower_assets.defs.rolling_back import roll_back
    from two_tower_assets.defs.site import open_site

    click.echo(str(roll_back(open_site(data_folder=data).target, to=to, note=note)))


@click.command("upsert-embeddings")
@click.argument("file", required=False, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--batch", default=500, show_default=True, type=click.IntRange(1, 1000), help="Rows of a request.")
@click.option("--dry-run", is_flag=True, help="Say what would be sent where, and change nothing.")
def upsert_embeddings(file: Path | None, *, batch: int, dry_run: bool) -> None:
    """Upsert a video_embeddings.parquet over REST, for those who have no Postgres URL.

    FILE lies beside its manifest; by default it is the file of the version that is live there. Reads SUPABASE_URL
    and SUPABASE_SERVICE_ROLE_KEY.
    """
    from two_tower_assets.defs.upsert import print_upsert

    print_upsert(read_environment(), file, batch=batch, dry_run=dry_run)


COMMANDS: Final = (
    publish,
    verify,
    summary,
    releases,
    release,
    rollback,
    upsert_embeddings,
)
