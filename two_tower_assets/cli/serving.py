"""Commands of the local stack and of the UI."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path
from typing import Final

import click

from two_tower_assets.cli.dagster_commands import instance_environment
from two_tower_assets.cli.groups import data_option
from two_tower_assets.environment import read_environment


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), help="Of SUPABASE_URL; by default the last one, or a free one."
)
@click.option("--detach", is_flag=True, help="Leave it running and return; `two-tower down` stops it.")
@data_option
def up(*, port: int | None, detach: bool, data: Path | None) -> None:
    """Serve what was released: Postgres, PostgREST, the Edge Functions and their files at one SUPABASE_URL."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.stack import bring_up

    bring_up(open_site(data_folder=data), port=port, detach=detach)


@click.command()
def down() -> None:
    """Stop the local stack and the embedded Postgres; nothing is lost."""
    from two_tower_assets.defs.stack import bring_down

    bring_down(read_environment().home)


@click.command()
@click.argument("user_id")
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 500))
@data_option
def recommend(user_id: str, limit: int, data: Path | None) -> None:
    """Recommend videos to a user: asks the local stack where it runs, and computes the answer here where not."""
    from two_tower_assets.defs.asking import recommend_to
    from two_tower_assets.defs.site import open_site

    recommend_to(open_site(data_folder=data), user_id, limit)


@click.command()
@click.option("--port", default=3000, show_default=True, help="Port of the UI on 127.0.0.1.")
def ui(port: int) -> None:
    """Open the Dagster UI on the same instance, with the history of earlier runs."""
    from two_tower_assets.local.instance import workspace_file

    arguments = ["dev", "-w", str(workspace_file()), "-h", "127.0.0.1", "-p", str(port)]
    os.execvpe(sys.executable, [sys.executable, "-m", "dagster", *arguments], instance_environment())


@click.command()
def env() -> None:
    """Start what is needed and print the variables that `dagster` and `dg` read, for eval "$(two-tower env)"."""
    from two_tower_assets.local.instance import prepare_instance

    environment = read_environment()
    for name, value in prepare_instance(environment.home, environment.dagster_url).items():
        click.echo(f"export {name}={shlex.quote(value)}")


COMMANDS: Final = (
    up,
    down,
    recommend,
    ui,
    env,
)
