"""Commands that fit: from rows to a measured or a released model, and what is known of the recipe."""

from __future__ import annotations

import os
import resource
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from two_tower_assets.cli.dagster_commands import execute, materialize
from two_tower_assets.cli.groups import data_option
from two_tower_assets.environment import read_environment
from two_tower_assets.home import write_text
from two_tower_assets.settings import as_toml, load_settings

# The check that examples see no future compares them in the normalizer's space.
_FITTED: Final = '+key:"training/evaluated_checkpoint" or +key:"features/normalizer"'
_EVALUATION: Final = '+key:"evaluation/page" or +key:"features/normalizer"'


@click.command()
@data_option
@click.option("--select", default="*", show_default=True, help="Assets to materialize, as Dagster selects them.")
@click.option(
    "--profile", is_flag=True, help="Leave a flame graph of each asset in <home>/profiles and in its metadata."
)
def run(data: Path | None, select: str, *, profile: bool) -> None:
    """Materialize the graph and say what was made, where, and how good it is."""
    from two_tower_assets.defs.profiles import VARIABLE
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.summary import print_summary

    started_at = datetime.now(UTC)
    if profile:
        os.environ[VARIABLE] = "1"
    site = open_site(data_folder=data)
    materialize(select, data)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print_summary(site, started_at=started_at, peak_mib=peak)


@click.command()
@data_option
@click.option(
    "--preset", type=click.Choice(["content", "hybrid"]), help="Preset of the features, for this evaluation."
)
def evaluate(data: Path | None, preset: str | None) -> None:
    """Fit and evaluate without releasing: tables with intervals, the gate's verdict, and the report's page."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.summary import print_evaluation

    if preset:
        _use_preset(preset)
    site = open_site(data_folder=data)
    materialize(_EVALUATION, data)
    print_evaluation(site)


@click.command()
@data_option
@click.option("--trials", type=click.IntRange(1), help="Points of the study, those of earlier runs included.")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="After so long no further point is begun.")
@click.option("--workers", type=click.IntRange(1), help="Points side by side, each in a process of its own.")
def tune(data: Path | None, trials: int | None, minutes: float | None, workers: int | None) -> None:
    """Search better settings, and write what the best would change for review; nothing is applied.

    A study of the same rows that was ended goes on where it was. What is not said is as the table [tuning] of the
    settings says. Needs the extra `tuning`.
    """
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.tuning.making import require_optuna
    from two_tower_assets.defs.tuning.printing import print_study

    require_optuna()
    site = open_site(data_folder=data)
    materialize('group:"sources"', data)
    said = {"trials": trials, "minutes": minutes, "workers": workers}
    config = {name: value for name, value in said.items() if value is not None}
    execute("tune", {"search_settings": {"config": config}}, data)
    print_study(site)


@click.command()
@data_option
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Fits of each variant.")
@click.option(
    "--trial", default="per_user", show_default=True, type=click.Choice(["global", "per_user", "new_videos"])
)
@click.option("--only", multiple=True, metavar="VARIANT", help="Some variants alone; may be repeated.")
def ablation(data: Path | None, seeds: int, trial: str, only: tuple[str, ...]) -> None:
    """Show what each ingredient of the recipe gives, over several seeds."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.variants import print_ablation

    site = open_site(data_folder=data)
    materialize(_FITTED, data)
    print_ablation(site, trial, seeds, only)


@click.command()
@data_option
@click.option("--seeds", default=5, show_default=True, type=click.IntRange(1), help="Fits of the recipe.")
def seeds(data: Path | None, seeds: int) -> None:
    """Show how much the recipe's figures vary from seed to seed, in every trial."""
    from two_tower_assets.defs.site import open_site
    from two_tower_assets.defs.variants import print_seeds

    site = open_site(data_folder=data)
    materialize(_FITTED, data)
    print_seeds(site, seeds)


@click.command("nightly-replay")
@data_option
@click.option("--nights", default=30, show_default=True, type=click.IntRange(1), help="Consecutive nights.")
@click.option(
    "--last-day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Day after the last night (UTC); by default that of the last decision.",
)
@click.option("--full", is_flag=True, help="The recipe as it is set, which takes many times as long.")
def nightly_replay(data: Path | None, nights: int, last_day: datetime | None, *, full: bool) -> None:
    """Replay nightly retrains on rows as they had arrived, and measure what was live on the day after each.

    Every night is the job `release`, in a home and a Postgres of its own that no project hears of. A replay that was
    ended goes on where it was.
    """
    from two_tower_assets.definitions import build_defs
    from two_tower_assets.defs.nightly.printing import print_replay
    from two_tower_assets.defs.site import open_site

    day = last_day.date() if last_day else None
    print_replay(open_site(data_folder=data), build_defs, nights=nights, last_day=day, full=full)


@click.command("gate-simulation")
@click.option("--replications", default=2000, show_default=True, type=click.IntRange(10), help="Evaluations a cell.")
@click.option("--json", "file", type=click.Path(path_type=Path), help="Write the rates here as well.")
def gate_simulation(replications: int, file: Path | None) -> None:
    """Show how often the gate is wrong about a truly equal and a truly 5 % worse model, by the number of users."""
    from two_tower_assets.defs.simulation import print_simulation

    print_simulation(load_settings(read_environment().settings_file), replications, file)


@click.command()
@click.argument("before", metavar="BEFORE")
@click.argument("after", metavar="[AFTER]", required=False)
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@click.option("--page", type=click.Path(dir_okay=False, path_type=Path), help="Write it here as a page, too.")
@data_option
def compare(before: str, after: str | None, data: Path | None, page: Path | None, *, as_json: bool) -> None:
    """Ask two versions what people liked after both were trained, and say who wins for whom. AFTER is the live one.

    Both versions' folders are on this machine, and the latest snapshot holds decisions that came since.
    """
    from two_tower_assets.defs.comparing.printing import print_comparison
    from two_tower_assets.defs.site import open_site

    print_comparison(open_site(data_folder=data), before, after, as_json=as_json, page=page)


def _use_preset(preset: str) -> None:
    """Let this command and what it starts read the settings with another preset."""
    environment = read_environment()
    settings = load_settings(environment.settings_file)
    features = settings.features.model_copy(update={"preset": preset})
    path = environment.home.root / f"settings.{preset}.toml"
    write_text(path, as_toml(settings.model_copy(update={"features": features})))
    os.environ["TWO_TOWER_SETTINGS"] = str(path)


COMMANDS: Final = (
    run,
    evaluate,
    tune,
    ablation,
    seeds,
    nightly_replay,
    gate_simulation,
    compare,
)
