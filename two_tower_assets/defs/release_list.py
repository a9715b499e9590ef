"""All releases in the terminal, or as JSON for programs. One of them, or two, are `release_tables`."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from two_tower_assets.defs.release_words import age, size, value
from two_tower_assets.defs.site import Site
from two_tower_assets.defs.tables import TABLE_WIDTH
from two_tower_assets.publishing.listing import HEADLINES, ReleaseDetails, list_details

_NONE_YET: Final = "No release yet: `two-tower run` makes one."


def print_releases(site: Site, *, as_json: bool = False) -> None:
    """Print every release, newest first: as a table, or as JSON for programs."""
    console, releases = Console(highlight=False, width=TABLE_WIDTH), list_details(site.serving_url)
    if as_json:
        console.print_json(json.dumps([_record(release) for release in releases]))
        return
    if not releases:
        console.print(_NONE_YET)
        return
    table = Table(title=f"Releases of {site.origin.dataset}", title_justify="left")
    for column in ("live", "version", "state", "age", *HEADLINES, "videos", "users", "size", "who"):
        table.add_column(column, no_wrap=column in {"version", "age", "size"})
    now = datetime.now(UTC)
    for release in releases:
        table.add_row(
            "●" if release.is_live else "",
            release.model_version,
            release.state,
            age(release.activated_at, now),
            *(value(release.figures.get(name)) for name in HEADLINES),
            value(release.video_count),
            value(release.user_count),
            size(release.total_bytes),
            release.who,
        )
    console.print(table)


def _record(release: ReleaseDetails) -> dict[str, Any]:
    """One element of the JSON; its keys grow by adding."""
    return {
        "model_version": release.model_version,
        "live": release.is_live,
        "state": release.state,
        "created_at": release.created_at.isoformat(),
        "created_by": release.created_by,
        "verified_at": release.verified_at.isoformat() if release.verified_at else None,
        "activated_at": release.activated_at.isoformat() if release.activated_at else None,
        "activated_by": release.activated_by,
        "previous_version": release.previous_version,
        "metrics": release.figures,
        "videos": release.video_count,
        "users": release.user_count,
        "table_bytes": release.table_bytes,
        "index_bytes": release.index_bytes,
        "manifest_hash": release.manifest_hash,
        "artifact_prefix": release.artifact_prefix,
    }
