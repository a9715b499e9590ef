"""What the stages of one size leave for one another: files in a folder, rows in a database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.features.space import FeatureSpace
from two_tower_assets.sources.snapshot import Snapshot, open_snapshot
from two_tower_assets_tests.bench.catalogue.size import Size


@dataclass(frozen=True)
class Place:
    """Where one size is measured."""

    folder: Path
    url: str
    """A migrated Postgres, empty at first."""
    size: Size

    @property
    def rows(self) -> Path:
        """The catalogue's folder."""
        return self.folder / "rows"

    @property
    def features(self) -> Path:
        """Payloads, vectors and the space."""
        return self.folder / "features"

    @property
    def rankings(self) -> Path:
        """Lists of all methods."""
        return self.folder / "rankings"

    @property
    def snapshots(self) -> Path:
        """The parent of the one snapshot."""
        return self.folder / "snapshots"

    @property
    def snapshot(self) -> Snapshot:
        """The one snapshot that was taken."""
        (found,) = self.snapshots.iterdir()
        return open_snapshot(found)

    @property
    def space(self) -> FeatureSpace:
        """What the stage `space` built."""
        return FeatureSpace.from_json((self.features / "space.json").read_text(encoding="utf-8"))
