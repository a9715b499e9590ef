"""What a study came to, in the terminal."""

from __future__ import annotations

import json
from typing import Any

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.defs.tuning.making import ASSET, DIFF_FILE, diff_of, outcome_of
from two_tower_assets.evaluation.page.formats import counted
from two_tower_assets.tuning.finalists import name_of
from two_tower_assets.tuning.page import PAGE_FILE
from two_tower_assets.tuning.records import Outcome
from two_tower_assets.tuning.verdict import verdict_lines


def print_study(site: Site) -> None:
    """Print the latest outcome: finals, what mattered, the change, the verdict and where to look further."""
    made = site.store.load(ASSET)
    outcome, diff = outcome_of(site, made), diff_of(site, made)
    console = Console(highlight=False, width=TABLE_WIDTH)
    console.print(_trials(outcome), markup=False, soft_wrap=True)
    console.print(_finals(outcome))
    if outcome.changes:
        console.print(_changes(outcome))
    for line in verdict_lines(outcome):
        console.print(line, markup=False, soft_wrap=True)
    console.print(f"page  {made.path(site.home, PAGE_FILE)}", markup=False, soft_wrap=True)
    if diff:
        path = made.path(site.home, DIFF_FILE)
        console.print(f"diff  {path}", markup=False, soft_wrap=True)
        console.print(
            f"Reviewed, it is applied where the settings file lies: git apply {path}", markup=False, soft_wrap=True
        )


def _trials(outcome: Outcome) -> str:
    states = [trial.state for trial in outcome.trials]
    counts = ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states))
    mattered = ", ".join(f"{key} {share:.0%}" for key, share in list(outcome.importances.items())[:3])
    return f"{outcome.study}: {counted(len(states), 'trial')} ({counts})" + (
        f"; what mattered: {mattered}" if mattered else ""
    )


def _finals(outcome: Outcome) -> Table:
    table = Table(
        title="recall@50 on the validation window, by seeds that the search did not use", title_justify="left"
    )
    table.add_column("settings")
    for number in range(len(outcome.finalists[0].values)):
        table.add_column(f"seed {number + 1}", justify="right")
    table.add_column("mean", justify="right")
    for each in outcome.finalists:
        table.add_row(name_of(each.trial), *(f"{value:.4f}" for value in each.values), f"{each.mean:.4f}")
    return table


def _changes(outcome: Outcome) -> Table:
    table = Table(title="What the winner has otherwise", title_justify="left")
    for column in ("setting", "now", "winner"):
        table.add_column(column)
    for change in outcome.changes:
        table.add_row(change.key, _written(change.before), _written(change.after))
    return table


def _written(value: Any) -> str:
    return json.dumps(value)
