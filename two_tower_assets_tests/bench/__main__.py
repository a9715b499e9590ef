"""Run the benchmarks of every stage (or of those named as arguments) and print one table of ratios."""

from __future__ import annotations

import importlib
import pkgutil
import sys

from two_tower_assets_tests import bench
from two_tower_assets_tests.bench.report import Line, as_table

_NOT_STAGES = {"__main__", "report"}


def main() -> int:
    """Measure, print, and return 1 when a bound was missed."""
    known = [module.name for module in pkgutil.iter_modules(bench.__path__) if module.name not in _NOT_STAGES]
    lines: list[Line] = []
    for stage in sys.argv[1:] or known:
        for line in importlib.import_module(f"{bench.__name__}.{stage}").measure():
            print(f"{line.stage}: {line.what}: {line.figure} ({line.against})", file=sys.stderr, flush=True)
            lines.append(line)
    print(as_table(lines))
    return 0 if all(line.met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
