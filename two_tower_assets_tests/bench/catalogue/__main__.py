"""Write a catalogue of so many decisions to a folder: `python -m two_tower_assets_tests.bench.catalogue`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from two_tower_assets_tests.bench.catalogue.folder import write_catalogue
from two_tower_assets_tests.bench.catalogue.size import Size


def main() -> int:
    """Write, and say what was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--decisions", type=float, required=True, metavar="NUMBER", help="such as 1e6")
    parser.add_argument("--users", type=int, help="by default one for 30 decisions")
    parser.add_argument("--videos", type=int, help="by default one for 150 decisions, 500 at least")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--into", type=Path, required=True, metavar="FOLDER")
    asked = parser.parse_args()
    size = Size.of(int(asked.decisions), users=asked.users, videos=asked.videos)
    decisions = write_catalogue(asked.into, size, seed=asked.seed)
    print(f"{decisions:,} decisions of {size.users:,} users on {size.videos:,} videos in {asked.into}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
