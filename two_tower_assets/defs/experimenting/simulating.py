"""The simulation of experiments at the command line: each question, what is promised and what was found."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console
from rich.table import Table

from two_tower_assets.environment import read_environment
from two_tower_assets.experiments.simulation.questions import answers
from two_tower_assets.experiments.simulation.real_users import real_users
from two_tower_assets.sources.folder import read_folder


def print_answers(experiments: int, data: Path | None) -> bool:
    """Put every question; returns whether every promise held.

    Args:
        experiments: of each question.
        data: a folder of rows whose users take part too; default `TWO_TOWER_DATA`, if it is set.
    """
    folder = data or read_environment().data_folder
    real = None if folder is None else real_users(read_folder(folder))
    console = Console(highlight=False)
    table = Table(title=f"{experiments:,} simulated experiments of four weeks a question", title_justify="left")
    for column in ("question", "promised", "found", ""):
        table.add_column(column)
    held = True
    with console.status("simulating") as status:
        for answer in answers(experiments=experiments, real=real):
            status.update(answer.question)
            table.add_row(answer.question, answer.promised, str(answer), "held" if answer.held else "NOT HELD")
            held = held and answer.held
    console.print(table)
    return held
