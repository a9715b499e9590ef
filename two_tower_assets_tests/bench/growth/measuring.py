"""All stages at one size after another, the smallest first, each size with a database of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from two_tower_assets.database.migrate import migrate
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets_tests.bench.catalogue.size import Size
from two_tower_assets_tests.bench.growth.child import Cost, run_stage
from two_tower_assets_tests.bench.growth.place import Place


def grow(folder: Path, sizes: Iterable[int], stages: tuple[str, ...]) -> Iterator[Cost]:
    """Yield what each stage took at each size; a stage that fails is named, and larger sizes go on without it.

    Args:
        folder: for catalogues, snapshots and a throw-away cluster.
        sizes: numbers of decisions.
        stages: names in `STAGES`, in the order of the pipeline.
    """
    postgres = EmbeddedPostgres(folder / "postgres")
    postgres.start()
    try:
        for decisions in sorted(sizes):
            place = Place(
                folder / f"{decisions}", postgres.ensure_database(f"growth_{decisions}"), Size.of(decisions)
            )
            place.folder.mkdir(exist_ok=True)
            migrate(place.url)
            for stage in stages:
                try:
                    cost = run_stage(stage, place)
                except subprocess.CalledProcessError as error:
                    print(f"{stage} of {decisions:,} decisions ended with {error.returncode}", file=sys.stderr)
                    continue
                print(
                    f"{stage} of {decisions:,}: {cost.seconds:.2f} s, {cost.peak_mib:,.0f} MiB",
                    file=sys.stderr,
                    flush=True,
                )
                yield cost
    finally:
        postgres.destroy()
