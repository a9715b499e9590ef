"""Item and user features as an asset keeps them: payloads of the RPCs, or raw features computed from a snapshot.

Which of the two a folder holds is told by its file; both are read back as the same raw features.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

import polars as pl

from two_tower_assets.environment import Project
from two_tower_assets.errors import FeatureError
from two_tower_assets.features import payloads, rest_payloads
from two_tower_assets.features.frames import raw_items, user_blocks
from two_tower_assets.features.payloads import ITEMS_FILE, item_payload_blocks, user_payload_blocks
from two_tower_assets.features.raw import RAW_ITEMS, user_columns
from two_tower_assets.progress import Progress, silent
from two_tower_assets.rest.client import RestClient
from two_tower_assets.settings import FeatureSettings
from two_tower_assets.sources.snapshot import Snapshot

RAW_FILE: Final = "raw_features.parquet"


def store_items(
    snapshot: Snapshot,
    url: str,
    into: Path,
    settings: FeatureSettings,
    *,
    project: Project | None = None,
    progress: Progress = silent,
) -> int:
    """Write the features of all videos, inactive ones included, and return their number.

    Args:
        snapshot: which videos, for `frames`.
        url: of the pipeline's Postgres, for `rpc`.
        into: folder to write to.
        settings: say where the features come from.
        project: whose REST API is asked, for `rest`.
        progress: told how far it is.
    """
    page = settings.payload_page
    match settings.feature_source:
        case "rpc":
            return payloads.read_item_payloads(url, into, page=page, progress=progress)
        case "rest":
            with _client(project) as client:
                return rest_payloads.read_item_payloads(client, into, page=page, progress=progress)
        case "frames":
            items = raw_items(snapshot)
            items.write_parquet(into / RAW_FILE)
            return items.height


def store_users(
    snapshot: Snapshot,
    url: str,
    into: Path,
    settings: FeatureSettings,
    *,
    project: Project | None = None,
    progress: Progress = silent,
) -> int:
    """Write the features at the snapshot's cut-off of all users with a decision, and return their number.

    Arguments are as for `store_items`.
    """
    page, as_of = settings.payload_page, snapshot.cutoff
    match settings.feature_source:
        case "rpc":
            return payloads.read_user_payloads(url, into, as_of=as_of, page=page, progress=progress)
        case "rest":
            with _client(project) as client:
                return rest_payloads.read_user_payloads(client, into, as_of=as_of, page=page, progress=progress)
        case "frames":
            none = pl.DataFrame(schema=user_columns(video_ids=settings.reads_video_ids))
            blocks = user_blocks(snapshot, as_of=as_of, video_ids=settings.reads_video_ids)
            users = pl.concat([none, *blocks])
            users.write_parquet(into / RAW_FILE)
            return users.height


def _client(project: Project | None) -> RestClient:
    assert project is not None, "features over REST need a project"
    return RestClient(project.url, project.key)


def stored_items(folder: Path, snapshot: Snapshot) -> pl.DataFrame:
    """Raw item features in the snapshot's order, with `is_active`; videos that came later are left aside.

    Raises:
        FeatureError: a video of the snapshot has no features: it was deleted before they were read.
    """
    if (folder / ITEMS_FILE).exists():
        items = pl.concat([pl.DataFrame(schema=dict(RAW_ITEMS)), *item_payload_blocks(folder)])
    else:
        items = pl.read_parquet(folder / RAW_FILE)
    known = snapshot.videos().select("id", "is_active").collect()
    found = known.join(items, on="id", how="inner", maintain_order="left")
    if found.height < known.height:
        raise FeatureError(
            f"{known.height - found.height} videos of the snapshot have no item features",
            where=str(folder),
            remedy="Take a new snapshot (sources/*), then read the features again.",
        )
    return found


def stored_users(folder: Path, *, video_ids: bool = False) -> Iterable[pl.DataFrame]:
    """Raw user features in blocks, by id.

    Args:
        folder: what `store_users` wrote.
        video_ids: whether the ids of liked and NOPEd videos are wanted: whether the space has videos.
    """
    if (folder / RAW_FILE).exists():
        return [pl.read_parquet(folder / RAW_FILE)]
    return user_payload_blocks(folder, video_ids=video_ids)
