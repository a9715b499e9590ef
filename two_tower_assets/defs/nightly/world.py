"""Where a replay happens: a home below the user's own, with a Postgres and buckets that no project hears of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from two_tower_assets.contract import Tables
from two_tower_assets.defs.code import code_version
from two_tower_assets.defs.resources import Workspace
from two_tower_assets.defs.site import Site
from two_tower_assets.environment import Environment
from two_tower_assets.errors import SourceDataError
from two_tower_assets.evaluation.nightly.arrivals import rows_before
from two_tower_assets.home import Home, replacing
from two_tower_assets.settings import Settings
from two_tower_assets.sources.folder import read_folder
from two_tower_assets.sources.origin import find_origin
from two_tower_assets.sources.sample import generate_sample
from two_tower_assets.sources.tables import SourceTables


def all_rows(site: Site) -> SourceTables:
    """Read every row of a site's source, those of the future of a night among them.

    Raises:
        SourceDataError: the source is neither a folder nor the sample, so that its past cannot be laid out anew.
    """
    if site.origin.kind not in {"folder", "sample"}:
        raise SourceDataError(
            f"Nights are replayed from a folder of rows, not from {site.origin.kind}",
            where=site.origin.label,
            remedy="Export videos, profiles and user_video_decisions into a folder and name it with --data.",
        )
    return read_folder(site.origin.folder) if site.origin.folder else generate_sample(site.settings.sample)


@dataclass(frozen=True)
class World:
    """One replay: its rows, its nights and its home. The same rows, nights, settings and code give the same home."""

    tables: SourceTables
    mornings: tuple[datetime, ...]
    site: Site

    @property
    def root(self) -> Path:
        """The home's folder."""
        return self.site.home.root

    @property
    def workspace(self) -> Workspace:
        """The resource that makes a run work in this home, whatever the environment says."""
        site = self.site

        class Replayed(Workspace):
            """Opens one site."""

            @property
            def settings(self) -> Settings:
                return site.settings

            @property
            def site(self) -> Site:
                return site

        return Replayed()

    def arrive(self, morning: datetime) -> None:
        """Put the rows from before a morning where the source reads them; the run makes its tables equal to them."""
        rows = rows_before(self.tables, morning)
        folder = self.site.origin.folder
        assert folder is not None
        frames = {Tables.VIDEOS: rows.videos, Tables.PROFILES: rows.profiles, Tables.DECISIONS: rows.decisions}
        for table, frame in frames.items():
            with replacing(folder / f"{table}.parquet") as temporary:
                frame.write_parquet(temporary)


def make_world(site: Site, settings: Settings, tables: SourceTables, mornings: Sequence[datetime]) -> World:
    """Lay out a replay below a site's home.

    Args:
        site: the user's own; nothing of it but its commit and its home is used.
        settings: of every night.
        tables: all rows.
        mornings: as `mornings_of` gives them.
    """
    parts = (
        tables.content_hash(),
        settings.digest(),
        code_version("publishing"),
        *(morning.isoformat() for morning in mornings),
    )
    name = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    home = Home(site.home.root / "nightly-replay" / name)
    rows = home.root / "rows"
    rows.mkdir(parents=True, exist_ok=True)
    # No variable of the user's environment: a replay must not publish to their project.
    environment = Environment(home=home, data_folder=rows, source="folder", commit=site.environment.commit)
    own = Site(environment, settings, find_origin(settings.source, environment))
    return World(tables, tuple(mornings), own)
