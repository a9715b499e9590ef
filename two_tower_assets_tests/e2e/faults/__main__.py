"""Let every fault happen and print what callers saw."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.table import Table

from two_tower_assets_tests.e2e.faults.case import Case, Seen, look
from two_tower_assets_tests.e2e.faults.cases import CASES
from two_tower_assets_tests.e2e.faults.world import world
from two_tower_assets_tests.e2e.stack.home import released_home
from two_tower_assets_tests.e2e.stack.running import brought_up


def main() -> int:
    """Print the table; return 1 when a fault led to what it must not lead to."""
    with tempfile.TemporaryDirectory() as name, released_home(Path(name)) as released:
        folder = Path(name) / "logs"
        folder.mkdir()
        with brought_up(released.home.root) as up, world(released, up, folder) as made:
            seen = {case: look(case, made) for case in CASES}
    Console(width=130).print(_table(seen))
    return 0 if all(map(_as_declared, seen, seen.values())) else 1


def _table(seen: dict[Case, Seen]) -> Table:
    table = Table("fault", "answers", "slowest", "stays up", "good again", title="Faults, as callers see them")
    for case, one in seen.items():
        answers = ", ".join(f"{count} x {answer}" for answer, count in sorted(one.answers.items()))
        mark = "" if set(one.answers) <= case.answers else " (not as declared)"
        table.add_row(case.name, answers + mark, f"{one.seconds:.2f} s", _yes(one.stays_up), _yes(one.good_after))
    return table


def _as_declared(case: Case, seen: Seen) -> bool:
    return set(seen.answers) <= case.answers and seen.stays_up and seen.good_after


def _yes(value: bool) -> str:
    return "yes" if value else "NO"


if __name__ == "__main__":
    sys.exit(main())
