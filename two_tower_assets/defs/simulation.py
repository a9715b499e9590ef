"""The gate's simulation at the command line: rates by audience and number of users, as a table and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from two_tower_assets.home import write_text
from two_tower_assets.settings import Settings

if TYPE_CHECKING:
    from two_tower_assets.evaluation.gate_simulation import Rates


def print_simulation(settings: Settings, replications: int, file: Path | None) -> None:
    """Simulate with the settings' margin, a row at a time."""
    from two_tower_assets.evaluation.gate_simulation import simulate

    console = Console(highlight=False)
    table = Table(title=f"How often the gate is wrong ({replications} evaluations a cell)", title_justify="left")
    for column in (
        "audience",
        "users",
        "passes a model 5 % worse",
        "… that fails 5 % of users",
        "refuses an equal model",
    ):
        table.add_column(column)
    rates = []
    with console.status("simulating") as status:
        for rate in simulate(settings.gate.margin, replications=replications):
            status.update(f"simulated {rate.users} users, {rate.audience}")
            rates.append(rate)
            shares = (rate.passes_worse, rate.passes_worse_for_some, rate.refuses_equal)
            cells = (f"{share:.1%} ± {rate.error_of(share):.1%}" for share in shares)
            table.add_row(rate.audience, f"{rate.users:,}", *cells)
    console.print(table)
    if file is not None:
        write_text(file, json.dumps([_row(rate) for rate in rates], indent=1))


def _row(rate: Rates) -> dict[str, object]:
    """Rates with the standard error of each."""
    shares = {name: round(share, 6) for name, share in asdict(rate).items() if isinstance(share, float)}
    errors = {name: rate.error_of(share) for name, share in shares.items()}
    return {**asdict(rate), **shares, "standard_errors": errors}
