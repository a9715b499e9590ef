"""Run the benchmarks of every stage, or of those named, and print one table of ratios.

The table and a record for `two_tower_assets_tests.bench.compare` are written, too.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from pathlib import Path

from two_tower_assets.environment import read_environment
from two_tower_assets_tests import bench
from two_tower_assets_tests.bench.record import Record
from two_tower_assets_tests.bench.report import Line, as_table

_NOT_STAGES = {"__main__", "catalogue", "compare", "cost", "record", "report"}


def main() -> int:
    """Measure, print, and return 1 when a bound was missed."""
    known = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name not in _NOT_STAGES]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stages", nargs="*", metavar="stage", help=", ".join(known))
    parser.add_argument("--into", type=Path, default=read_environment().home.root / "bench", metavar="FOLDER")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.stages) - set(known)):
        parser.error(f"there is no benchmark of {', '.join(unknown)}; there are {', '.join(known)}")
    lines: list[Line] = []
    for stage in asked.stages or known:
        for line in importlib.import_module(f"{bench.__name__}.{stage}").measure():
            print(f"{line.stage}: {line.what}: {line.figure} ({line.against})", file=sys.stderr, flush=True)
            lines.append(line)
    Record.of(lines).write(asked.into)
    print(as_table(lines))
    print(f"\nWritten to {asked.into}: bench.md and bench.json", file=sys.stderr)
    return 0 if all(line.met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
