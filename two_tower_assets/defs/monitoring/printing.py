"""`two-tower monitor`: the newest state of drift and health in plain words, and the simulation behind its bounds."""

from __future__ import annotations

import math
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.monitoring.looking import HEALTH_FILE
from two_tower_assets.defs.site import Site
from two_tower_assets.environment import read_environment
from two_tower_assets.errors import MissingAssetError
from two_tower_assets.monitoring.page import PAGE_FILE
from two_tower_assets.monitoring.records import Health
from two_tower_assets.monitoring.simulation.trials import Found, try_worlds
from two_tower_assets.monitoring.simulation.worlds import real_worlds, sample_worlds
from two_tower_assets.monitoring.words import health_words
from two_tower_assets.settings import load_settings
from two_tower_assets.sources.folder import read_folder


def print_state(site: Site, *, as_json: bool) -> None:
    """Print what the last look found.

    Raises:
        MissingAssetError: nobody has looked yet.
    """
    made = site.store.latest("monitoring/page")
    if made is None or not made.path(site.home, HEALTH_FILE).is_file():
        raise MissingAssetError(
            f"Nobody has looked at drift of {site.origin.dataset} yet",
            where="monitoring/page",
            remedy="Start the job `monitor`: `dg launch --job monitor`, or `two-tower run`.",
        )
    health = Health.model_validate_json(made.path(site.home, HEALTH_FILE).read_text(encoding="utf-8"))
    if as_json:
        click.echo(health.model_dump_json(indent=1))
        return
    click.echo(f"As of {made.made_at:%Y-%m-%d %H:%M} UTC:")
    for line in health_words(health):
        click.echo(f"- {line}")
    click.echo(f"Page: {made.path(site.home, PAGE_FILE)}")


def print_simulation(worlds: int, data: Path | None) -> bool:
    """Simulate quiet weeks and planted drifts; returns whether alarms are as seldom as the settings ask for.

    Args:
        worlds: how many; drifts are planted in half of them.
        data: a folder of real decisions, instead of the sample generator's.
    """
    environment = read_environment()
    folder = data or environment.data_folder
    settings = load_settings(environment.settings_file).monitoring
    made = sample_worlds(worlds, settings) if folder is None else real_worlds(read_folder(folder), worlds, settings)
    console, found = Console(highlight=False), Found()
    with console.status("simulating") as status:
        for found in try_worlds(made, planted=max(1, worlds // 2)):
            status.update(f"{len(found.weeks)} of {worlds} worlds")
    console.print(_table(found, settings.false_alarms_a_week))
    for name, weeks in sorted(found.culprits.items(), key=lambda pair: -pair[1]):
        console.print(f"  {weeks} × {name}", markup=False)
    return found.holds(settings.false_alarms_a_week)


def _table(found: Found, promised: float) -> Table:
    table = Table(title=f"{sum(found.weeks):,} quiet weeks in {len(found.weeks)} worlds", title_justify="left")
    for column in ("what happened", "found", "median delay"):
        table.add_column(column)
    verdict = "held" if found.holds(promised) else "NOT HELD"
    table.add_row(
        f"nothing: weeks with a false alarm, promised {promised:.1%}",
        f"{found.rate:.1%} ± {found.error:.1%}",
        verdict,
    )
    table.add_section()
    for drift, delays in found.delays.items():
        if not delays:
            table.add_row(drift, "–", "there is nothing to change")
            continue
        table.add_row(drift, f"{found.share_found(drift):.0%} of {len(delays)}", _days(found.median_delay(drift)))
    return table


def _days(delay: float) -> str:
    if math.isinf(delay):
        return "not found"
    return {0.0: "the same day", 1.0: "1 day"}.get(delay, f"{delay:g} days")
