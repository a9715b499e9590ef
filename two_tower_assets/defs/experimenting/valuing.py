"""`two-tower experiment value`: what a ranking would have earned, from what was served with known chances."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import click
import polars as pl
from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.experimenting.asked import ranking_asked
from two_tower_assets.defs.experimenting.connected import connected
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.errors import ExperimentError
from two_tower_assets.evaluation.bootstrap import Interval
from two_tower_assets.experiments.counterfactual.places import By
from two_tower_assets.experiments.counterfactual.showings import read_chances, read_showings
from two_tower_assets.experiments.counterfactual.value import CandidateValue, candidate_value
from two_tower_assets.experiments.definition import LIVE
from two_tower_assets.experiments.readout.rows import read_now
from two_tower_assets.experiments.registry import Connection
from two_tower_assets.publishing.counterfactual.chances import Asked, release_chances

_FILE: Final = "that the places before each would be as they were"
_BY: Final[dict[By, str]] = {
    "place": "that a LIKE depends on the video and its place alone",
    "list": "that a LIKE depends on the video alone, wherever in the list it stands",
}
_BY_DEFAULT: Final[By] = "place"
_NEWEST: Final = 10_000


@dataclass(frozen=True)
class Wanted:
    """Whose value: chances from a file, or a release and settings of the list."""

    file: Path | None
    release: str | None
    ranking: Sequence[str]
    """`SETTING=NUMBER`."""
    by: By | None
    """What a LIKE is taken to depend on, where chances are computed."""
    lists: int | None
    """The newest, where chances are computed."""
    hours: int
    """That a LIKE counts after a list."""


def print_value(site: Site, wanted: Wanted, *, as_json: bool) -> None:
    """Weigh what the serving database has by a candidate's chances, and print what came of it.

    Raises:
        ExperimentError: none or two candidates are named, one cannot be read, or what was served says too little of
            it.
        PublishingError: a release's files are gone.
    """
    if (wanted.file is None) == (wanted.release is None and not wanted.ranking):
        raise ExperimentError(
            "Either a file of chances is weighed, or a release with or without settings of the list",
            where="two-tower experiment value",
            remedy="Name FILE; or --release VERSION, --ranking SETTING=NUMBER, or both.",
        )
    if wanted.file and (wanted.by or wanted.lists):
        raise ExperimentError(
            "A file says itself which lists it is of, and what its chances depend on",
            where="two-tower experiment value",
            remedy="Leave out --by and --lists, or name a release instead of the file.",
        )
    with connected(site.serving_url, autocommit=False) as connection:
        chances = read_chances(wanted.file) if wanted.file else _computed(site, connection, wanted)
        found = candidate_value(*read_showings(connection, chances, attribution=timedelta(hours=wanted.hours)))
    if as_json:
        click.echo(found.model_dump_json(indent=1))
    else:
        _print(found, _FILE if wanted.file else _BY[wanted.by or _BY_DEFAULT])


def _computed(site: Site, connection: Connection, wanted: Wanted) -> pl.DataFrame:
    asked = Asked(
        model_version=wanted.release or LIVE,
        changes=ranking_asked(wanted.ranking),
        attribution=timedelta(hours=wanted.hours),
        most=wanted.lists or _NEWEST,
        by=wanted.by or _BY_DEFAULT,
    )
    buckets, lists = site.target.buckets, site.environment.lists
    with Console(stderr=True).status("making lists anew") as status:
        return release_chances(
            connection,
            buckets,
            site.home.artifacts,
            lists,
            asked,
            at=read_now(connection),
            progress=lambda done, total: status.update(f"making lists anew: {done:,} of {total:,}"),
        )


def _print(found: CandidateValue, assumed: str) -> None:
    click.echo(
        f"{found.showings:,} showings to {found.users:,} users, worth {found.effective_users:,.0f} of them; "
        f"the candidate's chances add up to {found.covered:.2f} a place."
    )
    table = Table()
    for column in ("LIKEs a showing", "mean", "95 %"):
        table.add_column(column)
    rows = {
        "as served": found.logged,
        "candidate, weighed (IPS)": found.inverse_propensity,
        "candidate, self-normalised": found.candidate,
        "candidate, doubly robust": found.doubly_robust,
    }
    for name, value in rows.items():
        table.add_row(name, *(_said(value) if value else ("–", "nothing predicts LIKEs")))
    table.add_row("difference, self-normalised", *_said(found.difference, "+"))
    Console(highlight=False, width=TABLE_WIDTH).print(table)
    click.echo(
        f"This assumes that all the candidate shows had a chance to be shown, and {assumed}. "
        "An A/B test assumes neither."
    )


def _said(one: Interval, sign: str = "") -> tuple[str, str]:
    return f"{one.mean:{sign}.4f}", f"{one.low:{sign}.4f} to {one.high:{sign}.4f}"
