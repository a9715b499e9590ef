"""Measure growth at other sizes, or of some stages: `python -m two_tower_assets_tests.bench.growth --sizes 1e4,1e5`.

Writes bench.json and bench.md, as `make bench` does, costs.json with every measurement and growth.svg.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path

from two_tower_assets.environment import read_environment
from two_tower_assets.home import write_text
from two_tower_assets_tests.bench.growth import SIZES
from two_tower_assets_tests.bench.growth.fitting import growths, lines_of
from two_tower_assets_tests.bench.growth.measuring import grow
from two_tower_assets_tests.bench.growth.picture import draw
from two_tower_assets_tests.bench.growth.stages import STAGES
from two_tower_assets_tests.bench.record import Record
from two_tower_assets_tests.bench.report import as_table


def main() -> int:
    """Measure, print, and return 1 when a bound was missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", type=_numbers, default=SIZES, metavar="1e4,1e5", help="numbers of decisions")
    parser.add_argument("--without", action="append", default=[], choices=list(STAGES), metavar="STAGE")
    parser.add_argument("--into", type=Path, default=read_environment().home.root / "bench", metavar="FOLDER")
    asked = parser.parse_args()
    stages = tuple(stage for stage in STAGES if stage not in asked.without)
    with tempfile.TemporaryDirectory() as folder:
        costs = list(grow(Path(folder), asked.sizes, stages))
    lines = list(lines_of(costs))
    Record.of(lines).write(asked.into)
    write_text(asked.into / "costs.json", json.dumps([dataclasses.asdict(cost) for cost in costs], indent=1) + "\n")
    draw(growths(costs), asked.into / "growth.svg")
    print(as_table(lines))
    print(f"\nWritten to {asked.into}: bench.md, bench.json, costs.json, growth.svg", file=sys.stderr)
    return 0 if all(line.met for line in lines) else 1


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(float(number)) for number in text.split(","))


if __name__ == "__main__":
    sys.exit(main())
