"""`two-tower experiment readout`: a look at one experiment, in the terminal, as JSON or as a page."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.experimenting.connected import connected
from two_tower_assets.defs.experimenting.readout_tables import Rows, arm_rows, lift_rows, said
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.experiments.readout.gather import readout
from two_tower_assets.experiments.readout.page.document import render
from two_tower_assets.home import write_text


def print_readout(site: Site, name: str, *, as_json: bool, page: Path | None) -> None:
    """Look at an experiment of the serving database and print what it says.

    Args:
        site: where it is served from.
        name: of the experiment.
        as_json: print the whole readout as one JSON document instead of tables.
        page: also written here as HTML.

    Raises:
        ExperimentError: there is no such experiment, or its plan cannot be read out.
    """
    with connected(site.serving_url, autocommit=False) as connection:
        found = readout(connection, name)
    if page is not None:
        write_text(page, render(found))
    if as_json:
        click.echo(found.model_dump_json(indent=1))
        return
    console = Console(highlight=False, width=TABLE_WIDTH)
    heading = f"Experiment {found.experiment}, {found.state}, at {found.at:%Y-%m-%d %H:%M} UTC"
    console.print(_table(heading, arm_rows(found)))
    console.print(_table("Beside the control", lift_rows(found)))
    for line in said(found):
        console.print(line, markup=False, soft_wrap=True)


def _table(title: str, rows: Rows) -> Table:
    columns, cells = rows
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in cells:
        table.add_row(*row)
    return table
