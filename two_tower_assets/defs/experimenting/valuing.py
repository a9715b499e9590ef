"""`two-tower experiment value`: what a ranking would have earned, from what was served with known chances."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import click

from two_tower_assets.defs.experimenting.connected import connected
from two_tower_assets.defs.site import Site
from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.counterfactual.showings import read_chances, read_served
from two_tower_assets.experiments.counterfactual.value import candidate_value


def print_value(site: Site, chances: Path, *, hours: int, as_json: bool) -> None:
    """Weigh what the serving database has by a candidate's chances, and print what came of it.

    Raises:
        ExperimentError: the file cannot be read, or what was served says too little of the candidate.
    """
    wanted = read_chances(chances)
    with connected(site.serving_url, autocommit=False) as connection:
        found = candidate_value(read_served(connection, wanted, attribution=timedelta(hours=hours)))
    if as_json:
        click.echo(found.model_dump_json(indent=1))
        return
    click.echo(f"{found.showings:,} showings to {found.users:,} users, worth {found.effective_users:,.0f} of them.")
    click.echo(f"LIKEs a showing, as served: {_said(found.logged)}")
    click.echo(f"LIKEs a showing, candidate: {_said(found.candidate)}")
    click.echo(f"Difference: {_said(found.difference, '+')}")
    click.echo(
        "This assumes that all the candidate shows had a chance to be shown, and that a LIKE depends on the video "
        "and its place alone. An A/B test assumes neither."
    )


def _said(one: Interval, sign: str = "") -> str:
    return f"{one.mean:{sign}.4f} [{one.low:{sign}.4f}, {one.high:{sign}.4f}]"
