"""What monitoring looks at, opened for a site: the live release's reference and vectors, lists that were served."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl
from psycopg.errors import UndefinedTable

from two_tower_assets.contract import Files
from two_tower_assets.database.connection import connect
from two_tower_assets.database.queries import query
from two_tower_assets.defs.site import Site
from two_tower_assets.monitoring.judging import Judge
from two_tower_assets.monitoring.live_likes import SERVED, live_likes
from two_tower_assets.monitoring.observed import Observed
from two_tower_assets.monitoring.records import DriftReport, LiveLikes, VectorHealth
from two_tower_assets.monitoring.reference import Reference
from two_tower_assets.publishing.registry import Release, list_releases, live_release
from two_tower_assets.sources.requirements import database_errors
from two_tower_assets.sources.snapshot import Snapshot, open_snapshot

if TYPE_CHECKING:
    from two_tower_assets.monitoring.vectors import Vectors

DRIFT_FILE: Final = "drift.json"
LIKES_FILE: Final = "live_likes.json"
VECTORS_FILE: Final = "vectors.json"
HEALTH_FILE: Final = "health.json"

_DECISIONS: Final = {
    "user_id": pl.String(),
    "video_id": pl.String(),
    "decision_type": pl.String(),
    "created_at": SERVED["served_at"],
}
_NOTHING_EARLIER: Final = "No release is live that was trained on earlier data: there is nothing to compare with yet"


@dataclass(frozen=True)
class Look:
    """What was found, and when."""

    report: DriftReport
    made_at: datetime


def last_look(site: Site) -> Look | None:
    """Return the last look at drift of this data set; None where there was none, or its file is gone."""
    made = site.store.latest("monitoring/drift")
    if made is None or not (path := made.path(site.home, DRIFT_FILE)).is_file():
        return None
    return Look(DriftReport.model_validate_json(path.read_text(encoding="utf-8")), made.made_at)


def watched_release(site: Site, snapshot: Snapshot) -> Release | None:
    """Return the live release, if it was trained on other data than this snapshot."""
    live = _live(site)
    if live is None:
        return None
    data_hash = live.metrics.get("evidence", {}).get("evaluation", {}).get("data_hash")
    return None if data_hash == snapshot.content_hash else live


def drift_of(site: Site, folder: Path, release: Release | None) -> DriftReport:
    """Hold a snapshot's last window against what a release was trained on."""
    if release is None:
        return DriftReport(reason=_NOTHING_EARLIER)
    from two_tower_assets.publishing.released_files import released_file

    with released_file(site.target.buckets, site.home.artifacts, release, Files.REFERENCE) as path:
        if path is None:
            return DriftReport(
                model_version=release.model_version,
                reason=f"Version {release.model_version} has no {Files.REFERENCE}: it was released before drift was "
                "watched. The next release has one",
            )
        reference = Reference.load(path)
    snapshot = open_snapshot(folder)
    judge = Judge(reference, site.settings.monitoring)
    return judge.judge(Observed.of_snapshot(snapshot), snapshot.cutoff, release.model_version)


def likes_of(site: Site) -> LiveLikes:
    """Hold the lists that were served lately against what people decided, both in the serving database."""
    settings = site.settings.monitoring
    with connect(site.serving_url, autocommit=True) as connection, database_errors("Served lists cannot be read"):
        try:
            latest = connection.execute(query("served_lists_latest")).fetchone()
        except UndefinedTable:
            latest = None
        if latest is None or latest[0] is None:
            return LiveLikes(reason="No list was ever served from this database")
        until: datetime = latest[1]
        days = {"days": settings.like_days, "until": until}
        served = connection.execute(query("served_lists_since"), days).fetchall()
        decisions = connection.execute(query("served_decisions"), days).fetchall()
    return live_likes(
        pl.DataFrame(served, schema=SERVED, orient="row"),
        pl.DataFrame(decisions, schema=_DECISIONS, orient="row"),
        until,
        settings,
    )


def vectors_of(site: Site) -> VectorHealth:
    """Look at the live release's video vectors, beside those of the release that it replaced."""
    from two_tower_assets.monitoring.vectors import examine

    live = _live(site)
    if live is None:
        return VectorHealth(reason="No release is live")
    releases = {release.model_version: release for release in list_releases(site.serving_url)}
    before = releases.get(live.previous_version or "")
    vectors = _vectors(site, live)
    if vectors is None:
        return VectorHealth(model_version=live.model_version, reason=f"Its {Files.VIDEO_EMBEDDINGS} is gone")
    found = examine(vectors, _vectors(site, before) if before else None, site.settings.monitoring)
    return found.model_copy(
        update={
            "model_version": live.model_version,
            "previous_version": before.model_version if before else None,
        }
    )


def watched_versions(site: Site) -> tuple[str, str]:
    """Return the live version and the one that it replaced, each empty where there is none."""
    live = _live(site)
    return ("", "") if live is None else (live.model_version, live.previous_version or "")


def _live(site: Site) -> Release | None:
    live = live_release(site.serving_url)
    if live is None:
        return None
    return next(release for release in list_releases(site.serving_url) if release.model_version == live.model_version)


def _vectors(site: Site, release: Release) -> dict[str, Vectors] | None:
    from two_tower_assets.artifacts.embeddings import read_blocks
    from two_tower_assets.publishing.released_files import released_file

    with released_file(site.target.buckets, site.home.artifacts, release, Files.VIDEO_EMBEDDINGS) as path:
        if path is None:
            return None
        return {
            video: vector
            for ids, block in read_blocks(path)
            for video, vector in zip(ids.tolist(), block, strict=True)
        }
