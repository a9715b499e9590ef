"""The simulation of the gate at the command line: tables of how often it errs, kept as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.evaluation.gate_audiences import AUDIENCES, generated_hits
from two_tower_assets.evaluation.gate_simulation import EQUAL, Passes, Simulation, simulate
from two_tower_assets.home import write_text
from two_tower_assets.settings import Settings


def print_gate_simulation(settings: Settings, sizes: Sequence[int], replications: int, path: Path) -> None:
    """Simulate both audiences, print a table each and keep the numbers.

    Args:
        settings: the gate's margin, the bootstrap's resamples.
        sizes: numbers of evaluated users.
        replications: of each size and challenger.
        path: of the JSON.
    """
    console = Console(highlight=False, width=TABLE_WIDTH)
    done = []
    for simulation in _simulations(settings, tuple(sizes), replications):
        console.print(_table(simulation, sizes))
        done.append(simulation.model_dump(mode="json"))
    write_text(path, json.dumps(done, indent=1))
    console.print(f"{replications} replications each; ± is the Monte-Carlo standard error. Kept in {path}")


def _simulations(settings: Settings, sizes: tuple[int, ...], replications: int) -> Iterator[Simulation]:
    for audience in AUDIENCES:
        yield simulate(
            audience.name,
            generated_hits(audience),
            sizes=sizes,
            replications=replications,
            gate=settings.gate,
            evaluation=settings.evaluation,
        )


def _table(simulation: Simulation, sizes: Sequence[int]) -> Table:
    table = Table(title=f"{simulation.name}: how often the gate errs", title_justify="left")
    table.add_column("users", justify="right")
    for passes in simulation.challengers:
        outcome = "refused" if passes.challenger == EQUAL else "passed"
        table.add_column(f"{passes.challenger}: {outcome}", justify="right")
    table.add_row("truth", *(_truth(passes) for passes in simulation.challengers))
    for users in sizes:
        errors = [passes.erred(users) for passes in simulation.challengers]
        table.add_row(str(users), *(f"{error.share:.1%} ±{error.error:.1%}" for error in errors))
    return table


def _truth(passes: Passes) -> str:
    return "\n".join(f"{name} × {ratio:.4f}" for name, ratio in passes.true_ratio.items())
