"""What each asset left behind, and how unchanged work is recognised.

An asset's files lie in a folder of their own (or in the model version's folder); a small JSON record says which
files, their hashes, the fingerprint of everything they were made from, and a few facts. Records are kept by
fingerprint, so going back to earlier data or settings finds what was made then; one pointer an asset and data
set names the latest. Nothing here knows Dagster; the IO manager over it is in `defs.resources`.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from two_tower_assets.errors import MissingAssetError
from two_tower_assets.home import Home, sha256_of, write_text

Facts = dict[str, Any]
"""JSON values that downstream assets or metadata need without opening the files."""


class Made(BaseModel):
    """One materialization: where its files are, what they hold and what they were made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    asset: str
    fingerprint: str
    data_version: str
    made_at: datetime
    root: Path
    """Folder of the files, relative to the home."""
    files: dict[str, str]
    """File name to hex SHA-256."""
    facts: Facts = {}

    def folder(self, home: Home) -> Path:
        """Absolute folder of the files."""
        return home.root / self.root

    def path(self, home: Home, name: str) -> Path:
        """Absolute path of one file."""
        assert name in self.files, f"{self.asset} made no {name}"
        return self.folder(home) / name


def fingerprint_of(asset: str, *parts: str) -> str:
    """Hex SHA-256 over the asset's key and everything it depends on, in order."""
    return hashlib.sha256(json.dumps([asset, *parts]).encode()).hexdigest()


def hash_files(files: Mapping[str, str]) -> str:
    """One hash for a set of files: their names and hashes, sorted by name."""
    return hashlib.sha256(json.dumps(sorted(files.items())).encode()).hexdigest()


@dataclass(frozen=True)
class AssetStore:
    """Records and pointers of one data set."""

    home: Home
    dataset: str

    def load(self, asset: str) -> Made:
        """Return the latest record of an asset.

        Raises:
            MissingAssetError: it was never made for this data set, or its files are gone or altered.
        """
        remedy = f"Materialize it first, for example with --select '+key:\"{asset}\"'."
        made = self.latest(asset)
        if made is None:
            raise MissingAssetError(f"{asset} has not been made for {self.dataset} yet", where=asset, remedy=remedy)
        if gone := [name for name in made.files if not (made.folder(self.home) / name).exists()]:
            raise MissingAssetError(
                f"Files of {asset} are gone: {', '.join(gone)}", where=str(made.root), remedy=remedy
            )
        return made

    def latest(self, asset: str) -> Made | None:
        """Return the latest record of an asset, or None; its files may be gone."""
        pointer = self._pointer(asset)
        return Made.model_validate_json(pointer.read_text(encoding="utf-8")) if pointer.exists() else None

    def all(self) -> tuple[Made, ...]:
        """The latest record of every asset, in the order of their making."""
        pointers = self._pointers.rglob("*.json")
        made = (Made.model_validate_json(pointer.read_text(encoding="utf-8")) for pointer in pointers)
        return tuple(sorted(made, key=lambda record: record.made_at))

    def save(self, made: Made) -> None:
        """Make `made` the latest of its asset and remember it by fingerprint."""
        text = made.model_dump_json(indent=1)
        write_text(self._record(made.fingerprint), text)
        write_text(self._pointer(made.asset), text)

    def find(self, fingerprint: str) -> Made | None:
        """Return what was made from the same things before, if every file is still as it was."""
        record = self._record(fingerprint)
        if not record.exists():
            return None
        made = Made.model_validate_json(record.read_text(encoding="utf-8"))
        folder = made.folder(self.home)
        intact = all(
            (folder / name).is_file() and sha256_of(folder / name) == sha for name, sha in made.files.items()
        )
        return made if intact else None

    def build(self, asset: str, fingerprint: str, parent: Path, fill: Callable[[Path], Facts]) -> Made:
        """Fill a new folder below `parent` and record it; a failure leaves nothing behind."""
        parent.mkdir(parents=True, exist_ok=True)
        target = parent / fingerprint[:16]
        temporary = Path(tempfile.mkdtemp(prefix=".making-", dir=parent))
        try:
            facts = fill(temporary)
            shutil.rmtree(target, ignore_errors=True)
            temporary.chmod(0o755)
            temporary.rename(target)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        return self.record(asset, fingerprint, target, sorted(path.name for path in target.iterdir()), facts)

    def record(
        self,
        asset: str,
        fingerprint: str,
        folder: Path,
        names: Iterable[str],
        facts: Facts,
        *,
        data_version: str | None = None,
        made_at: datetime | None = None,
    ) -> Made:
        """Record files that lie in their place; the data version defaults to the hash of all files."""
        files = {name: sha256_of(folder / name) for name in names}
        made = Made(
            asset=asset,
            fingerprint=fingerprint,
            data_version=data_version or hash_files(files),
            made_at=made_at or datetime.now(UTC),
            root=folder.relative_to(self.home.root),
            files=files,
            facts=facts,
        )
        self.save(made)
        return made

    @property
    def _pointers(self) -> Path:
        return self.home.dagster / "assets" / "latest" / self.dataset

    def _pointer(self, asset: str) -> Path:
        return self._pointers / f"{asset}.json"

    def _record(self, fingerprint: str) -> Path:
        return self.home.dagster / "assets" / "by_fingerprint" / f"{fingerprint}.json"
