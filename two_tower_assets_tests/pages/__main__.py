"""Make each page that people read from a small run of its own, for `make pages`: readout, tuning, drift, compare.

Everything is real and small: a home with a Postgres of its own below the folder given as argument, two releases of
the sample's rows before a date, the rows after it, a study of two points, and an experiment whose people did what is
planted in them. What does not live here: taking pictures of the pages (`infra/pages_pictures.py`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psycopg

from two_tower_assets.contract import Tables
from two_tower_assets.defs.site import open_site
from two_tower_assets.evaluation.nightly.arrivals import rows_before
from two_tower_assets.home import Home
from two_tower_assets.local.postgres import EmbeddedPostgres
from two_tower_assets.monitoring.page import PAGE_FILE as DRIFT_PAGE
from two_tower_assets.settings import load_settings
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.tables import SourceTables
from two_tower_assets.tuning.page import PAGE_FILE as STUDY_PAGE
from two_tower_assets_tests.experiments.readout.rows_of import plan_experiment, two_arms
from two_tower_assets_tests.lenient_gate import LENIENT_GATE

SETTINGS: Final = """
[sample]
users = 150
videos = 200
decisions_per_user = 25

[model]
heads = 1
hidden = [{hidden}]

[training]
schedules = [100]
batch_size = 256
catalogue_negatives = 128

[tuning]
trials = 2
finalists = 1
seeds = 1
"""
BEFORE: Final = datetime(2026, 10, 10, tzinfo=UTC)
"""The releases know what came before it; drift and comparison are of what came after."""
AFTER: Final = datetime(2026, 11, 1, tzinfo=UTC)
LOOK: Final = 'group:"sources" or ' + " or ".join(
    f'key:"monitoring/{noun}"' for noun in ("drift", "live_likes", "vectors", "page")
)


def main(root: Path) -> None:
    """Write `readout.html`, `tuning.html`, `drift.html` and `compare.html` into a folder, made anew."""
    home = Home(root / "home")
    _forget(root, home)
    (root / "rows").mkdir(parents=True)
    # Nothing of the user's environment: this must not reach their project.
    for name in [name for name in os.environ if name.startswith(("TWO_TOWER_", "SUPABASE_", "MODEL_", "DAGSTER_"))]:
        del os.environ[name]
    os.environ.update(TWO_TOWER_HOME=str(home.root), TWO_TOWER_SETTINGS=str(root / "two_tower.toml"))
    try:
        _make(root, home)
    finally:
        EmbeddedPostgres(home.postgres).destroy()


def _make(root: Path, home: Home) -> None:
    settings = root / "two_tower.toml"
    rows = root / "rows"
    _set(settings, hidden=64)
    tables = generate_sample(load_settings(settings).sample)
    _arrive(tables, rows, BEFORE)
    for hidden in (64, 128):
        _set(settings, hidden=hidden)
        _two_tower("run", "--data", str(rows))
    before, after = sorted(folder.name for folder in home.artifacts.iterdir())
    _arrive(tables, rows, AFTER)
    _two_tower("run", "--data", str(rows), "--select", LOOK)
    _two_tower("compare", before, after, "--data", str(rows), "--page", str(root / "compare.html"))
    _two_tower("tune", "--data", str(rows))
    site = open_site(data_folder=rows)
    for asset, file, name in (("monitoring/page", DRIFT_PAGE, "drift"), ("tuning/study", STUDY_PAGE, "tuning")):
        made = site.store.load(asset)
        shutil.copy(made.path(home, file), root / f"{name}.html")
    with psycopg.connect(site.serving_url, autocommit=True) as connection:
        plan_experiment(connection, guardrails=["like_rate"])
        two_arms(connection, 0.35)
    _two_tower("experiment", "readout", "taste", "--data", str(rows), "--page", str(root / "readout.html"))


def _set(settings: Path, *, hidden: int) -> None:
    settings.write_text(SETTINGS.format(hidden=hidden) + LENIENT_GATE + 'champion = "ignore"\n')


def _forget(root: Path, home: Home) -> None:
    if home.postgres.exists():
        EmbeddedPostgres(home.postgres).destroy()
    shutil.rmtree(root, ignore_errors=True)


def _arrive(tables: SourceTables, folder: Path, morning: datetime) -> None:
    """Put the rows from before a morning where the source reads them."""
    rows = rows_before(tables, morning)
    frames = {Tables.VIDEOS: rows.videos, Tables.PROFILES: rows.profiles, Tables.DECISIONS: rows.decisions}
    for table, frame in frames.items():
        frame.write_parquet(folder / f"{table}.parquet")


def _two_tower(*arguments: str) -> None:
    print("two-tower", *arguments, flush=True)
    command = [sys.executable, "-m", "two_tower_assets.cli", *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
