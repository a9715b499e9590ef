"""Commands of A/B tests."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import click

from two_tower_assets.cli.groups import data_option


@click.group("experiment")
def experiment() -> None:
    """A/B tests: whether what is shown to some users is better for them."""


@experiment.command("create")
@click.argument("name")
@click.option(
    "--arm",
    "arms",
    multiple=True,
    metavar="ARM=VERSION",
    help="The control first; `live` is whatever is live. Repeated.",
)
@click.option(
    "--weight", "weights", multiple=True, metavar="ARM=SHARE", help="Of its users; by default all the same."
)
@click.option(
    "--ranking",
    multiple=True,
    metavar="ARM.SETTING=NUMBER",
    help="A setting of an arm's list: candidates, diversity_lambda, explore_share, rerank.recency_weight …",
)
@click.option("--interleaving", is_flag=True, help="Show everybody in it both rankings as one list.")
@click.option("--metric", help="That decides: like_rate (by default), likes_per_user or decisions_per_user.")
@click.option("--guardrail", "guardrails", multiple=True, help="A metric that must not get worse. Repeated.")
@click.option("--users", required=True, type=int, help="Planned, in all arms together.")
@click.option("--attribution-hours", default=24, show_default=True, help="How long a list counts for a decision.")
@click.option("--before-days", default=28, show_default=True, help="Days before that users are compared by.")
@click.option("--salt", help="By default the name; another one shuffles users into arms anew.")
@click.option("--note", help="Kept in the experiment log.")
@data_option
def create_experiment(name: str, data: Path | None, note: str | None, **asked: Any) -> None:
    """Write down what is to be compared; nobody is served by it yet."""
    from two_tower_assets.defs.experimenting.changing import create
    from two_tower_assets.defs.site import open_site

    click.echo(create(open_site(data_folder=data).serving_url, name, note=note, **asked))


@experiment.command("start")
@click.argument("name")
@click.option("--share", required=True, help="Of all users: 0.1 is every tenth.")
@click.option("--from", "at", help="Where its slice of the users begins; by default where most is free.")
@click.option("--note", help="Kept in the experiment log.")
@data_option
def start_experiment(name: str, share: str, at: str | None, note: str | None, data: Path | None) -> None:
    """Serve a draft's arms to a share of all users, from now on."""
    from two_tower_assets.defs.experimenting.changing import start
    from two_tower_assets.defs.site import open_site

    click.echo(start(open_site(data_folder=data).serving_url, name, share, at, note=note))


@experiment.command("ramp")
@click.argument("name")
@click.option("--share", required=True, help="Of all users, more than before.")
@click.option("--note", help="Kept in the experiment log.")
@data_option
def ramp_experiment(name: str, share: str, note: str | None, data: Path | None) -> None:
    """Give a running experiment more users; who is in stays in, in the same arm."""
    from two_tower_assets.defs.experimenting.changing import ramp
    from two_tower_assets.defs.site import open_site

    click.echo(ramp(open_site(data_folder=data).serving_url, name, share, note=note))


@experiment.command("stop")
@click.argument("name")
@click.option("--note", help="Kept in the experiment log.")
@data_option
def stop_experiment(name: str, note: str | None, data: Path | None) -> None:
    """End a running experiment at once: everybody is served by the live release from the next request on."""
    from two_tower_assets.defs.experimenting.changing import stop
    from two_tower_assets.defs.site import open_site

    click.echo(stop(open_site(data_folder=data).serving_url, name, note=note))


@experiment.command("discard")
@click.argument("name")
@click.option("--note", help="Kept in the experiment log.")
@data_option
def discard_experiment(name: str, note: str | None, data: Path | None) -> None:
    """Take a draft away; what was started stays on record."""
    from two_tower_assets.defs.experimenting.changing import discard
    from two_tower_assets.defs.site import open_site

    click.echo(discard(open_site(data_folder=data).serving_url, name, note=note))


@experiment.command("promote")
@click.argument("name")
@click.option("--arm", required=True, help="Of a stopped experiment.")
@click.option("--note", help="Kept in both logs.")
@click.option("--anyway", metavar="WHY", help="Don't ask what the experiment shows; why is kept in both logs.")
@data_option
def promote_arm(name: str, arm: str, note: str | None, anyway: str | None, data: Path | None) -> None:
    """Make an arm's release live, and say which settings to change; refused unless it is better and harms nothing."""
    from two_tower_assets.defs.experimenting.promoting import promote
    from two_tower_assets.defs.site import open_site

    click.echo(promote(open_site(data_folder=data).target, name, arm, note=note, anyway=anyway))


@experiment.command("status")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs: a list of objects.")
@data_option
def experiment_status(name: str | None, *, as_json: bool, data: Path | None) -> None:
    """Show experiments: state, users, arms, and how many were served so far. All of them by default."""
    from two_tower_assets.defs.experimenting.printing import print_status
    from two_tower_assets.defs.site import open_site

    print_status(open_site(data_folder=data).serving_url, name, as_json=as_json)


@experiment.command("readout")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="The whole readout as one JSON document.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write it here as a page, too.")
@data_option
def experiment_readout(name: str, *, as_json: bool, page: Path | None, data: Path | None) -> None:
    """Say what an experiment shows: figures of each arm, lifts with bounds, and a verdict in plain words.

    Looking often is safe: the bounds hold at all looks together.
    """
    from two_tower_assets.defs.experimenting.reading_out import print_readout
    from two_tower_assets.defs.site import open_site

    print_readout(open_site(data_folder=data), name, as_json=as_json, page=page)


@experiment.command("value")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--release", metavar="VERSION", help="Of which the chances are computed; `live` is whatever is live.")
@click.option("--ranking", multiple=True, metavar="SETTING=NUMBER", help="Of the candidate. Repeated.")
@click.option(
    "--by",
    type=click.Choice(("place", "list")),
    help="A LIKE depends on the video and its place (by default), or on the video wherever in the list it stands.",
)
@click.option("--lists", type=click.IntRange(1), help="The newest to make anew.  [default: 10000]")
@click.option("--hours", default=24, show_default=True, type=click.IntRange(1, 720), help="A LIKE counts so long.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON document.")
@data_option
def experiment_value(*, as_json: bool, data: Path | None, **wanted: Any) -> None:
    """Say what a ranking that nobody was shown would have earned, from lists served with known chances.

    The ranking is a release's (--release), with settings of the list that differ (--ranking; of the live release
    where none is named). RECOMMEND_CANDIDATES, DIVERSITY_LAMBDA and EXPLORE_SHARE are read as by the functions.

    Or it is anyone's: FILE is a .parquet or .csv file of list_id, video_id, and the chance with which the ranking
    shows that video at that place of that list, given the places before it.
    """
    from two_tower_assets.defs.experimenting.valuing import Wanted, print_value
    from two_tower_assets.defs.site import open_site

    print_value(open_site(data_folder=data), Wanted(**wanted), as_json=as_json)


@experiment.command("simulate")
@click.option("--experiments", default=2000, show_default=True, type=click.IntRange(100), help="Of each question.")
@data_option
def simulate_experiments(experiments: int, data: Path | None) -> None:
    """Put questions with known answers to simulated experiments: false alarms, power, what is caught.

    With a folder of rows, its users take part as well.
    """
    from two_tower_assets.defs.experimenting.simulating import print_answers

    if not print_answers(experiments, data):
        sys.exit(1)


COMMANDS: Final = (experiment,)
