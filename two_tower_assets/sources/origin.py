"""Which source a run reads: the sample, a folder or a Postgres that already holds the rows; and its data set's name.

What does not live here: reading the rows (`sample`, `folder`, `load`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from two_tower_assets.environment import Environment
from two_tower_assets.errors import EnvironmentVariableError
from two_tower_assets.settings import SourceSettings

_T = TypeVar("_T")


@dataclass(frozen=True)
class Origin:
    """Where the rows come from."""

    kind: Literal["sample", "folder", "postgres"]
    dataset: str
    """Name of the data set: of its database in the embedded Postgres, and of its records on disk."""
    folder: Path | None = None

    @property
    def label(self) -> str:
        """How the source is named to people and in the load record."""
        return f"folder {self.folder}" if self.folder else self.kind


def find_origin(settings: SourceSettings, environment: Environment) -> Origin:
    """Decide the source from the settings and the environment (see `SourceSettings.kind`).

    Raises:
        EnvironmentVariableError: the settings ask for a source whose variable is not set.
    """
    kind = settings.kind
    if kind == "auto":
        kind = "folder" if environment.data_folder else "postgres" if environment.database_url else "sample"
    if kind == "sample":
        return Origin("sample", dataset="sample")
    if kind == "folder":
        folder = _required(environment.data_folder, "TWO_TOWER_DATA", "Name the folder that holds the data.")
        return Origin("folder", dataset=_dataset(folder.name, str(folder)), folder=folder)
    url = _required(environment.database_url, "TWO_TOWER_DATABASE_URL", "Name the Postgres that holds the rows.")
    return Origin("postgres", dataset=_dataset("postgres", url.rpartition("@")[2]))


def _required(value: _T | None, name: str, remedy: str) -> _T:
    if value is None:
        raise EnvironmentVariableError("The settings ask for a source that is not named", where=name, remedy=remedy)
    return value


def _dataset(name: str, identity: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "data"
    return f"{slug[:40]}_{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
