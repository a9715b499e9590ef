"""Commands that look at what is there: drift, health, the set-up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import click

from two_tower_assets.cli.groups import data_option


@click.group("monitor", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@data_option
@click.pass_context
def monitor(context: click.Context, data: Path | None, *, as_json: bool) -> None:
    """Say whether what comes in has drifted from what the live release knows, and how it is liked."""
    if context.invoked_subcommand is None:
        from two_tower_assets.defs.monitoring.printing import print_state
        from two_tower_assets.defs.site import open_site

        print_state(open_site(data_folder=data), as_json=as_json)


@monitor.command("simulate")
@click.option("--worlds", default=40, show_default=True, type=click.IntRange(2), help="Each gives seven quiet weeks.")
@data_option
def simulate_monitoring(worlds: int, data: Path | None) -> None:
    """Count false alarms in quiet weeks, and the days until planted drifts are found.

    With a folder of rows, its users live in the worlds.
    """
    from two_tower_assets.defs.monitoring.printing import print_simulation

    if not print_simulation(worlds, data):
        sys.exit(1)


@click.command()
@click.option("--fix", is_flag=True, help="Mend what can be mended safely, and say what was done.")
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
@data_option
@click.pass_context
def doctor(context: click.Context, data: Path | None, *, fix: bool, as_json: bool) -> None:
    """Look at everything that a set-up needs, and say what is wrong and what to do; exits with 1 on a problem."""
    from two_tower_assets.defs.doctor.printing import print_examination

    if not print_examination(data, fix=fix, as_json=as_json):
        context.exit(1)


COMMANDS: Final = (
    monitor,
    doctor,
)
