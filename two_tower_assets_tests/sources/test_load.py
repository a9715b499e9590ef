"""Loading into Postgres: equal tables, recognised repeats, refused strangers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.load import load
from two_tower_assets.sources.snapshot import take_snapshot

ROWS = {"ml-100k": (943, 1682, 100_000), "steam-au-reviews": (22_795, 32_526, 48_498)}


@pytest.mark.parametrize("name", ROWS)
def test_real_data_arrive_completely(database: str, tmp_path: Path, name: str) -> None:
    """A real data set loads and snapshots with the row counts its README states."""
    root = os.environ.get("TWO_TOWER_DATA_DIR")
    if not root:
        pytest.skip("TWO_TOWER_DATA_DIR is not set")
    load(database, read_folder(Path(root) / name), source=name)
    tables = take_snapshot(database, tmp_path).tables
    assert tuple(tables[x].rows for x in ("profiles", "videos", "user_video_decisions")) == ROWS[name]
