"""A snapshot's past: the same tables without the decisions from a moment on, in a folder of its own.

Whoever is given that folder alone can't know what came later. What does not live here: which moment that is.
"""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

import polars as pl

from two_tower_assets.home import replacing
from two_tower_assets.sources.snapshot import DECISIONS_FILE, PROFILES_FILE, VIDEOS_FILE, Snapshot


def past_of(snapshot: Snapshot, before: datetime, folder: Path) -> Snapshot:
    """Write the past of a snapshot into a folder, which is made, and return it.

    Args:
        snapshot: the whole.
        before: decisions strictly before this moment are kept; videos and profiles are, whenever they came.
        folder: where the tables go.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in (PROFILES_FILE, VIDEOS_FILE):
        with replacing(folder / name) as temporary:
            shutil.copyfile(snapshot.folder / name, temporary)
    with replacing(folder / DECISIONS_FILE) as temporary:
        snapshot.decisions().filter(pl.col("created_at") < before).sink_parquet(temporary)
    content_hash = hashlib.sha256(f"{snapshot.content_hash}\n{before.isoformat()}".encode()).hexdigest()
    # A row of a video made after the cut-off tells when old data were loaded, as it does in the whole.
    return Snapshot(folder, snapshot.cutoff, content_hash, {})
