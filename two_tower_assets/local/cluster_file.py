"""`cluster.json`: where a cluster's data are, its port, and the mark its processes carry. No secrets."""

from __future__ import annotations

import dataclasses
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from two_tower_assets.errors import LocalStackError
from two_tower_assets.home import write_text


@dataclass(frozen=True)
class ClusterFile:
    """What is known of a cluster from its folder alone."""

    folder: str
    """The folder this was written for: tells a moved cluster from a copied one."""
    data: str
    """The data folder, relative to the cluster's folder or absolute."""
    mark: str
    """`cluster_name` of the server, unlike any other's, shown in the title of each of its processes."""
    port: int | None = None
    """The port of the last start, taken again while it is free."""

    @staticmethod
    def path(folder: Path) -> Path:
        """Where the file lies in a cluster's folder."""
        return folder / "cluster.json"

    @staticmethod
    def new_mark() -> str:
        """Return a name that no other cluster has."""
        return f"two-tower-{secrets.token_hex(8)}"

    def on_port(self, port: int) -> ClusterFile:
        """Return the same cluster on another port."""
        return dataclasses.replace(self, port=port)

    def moved_to(self, folder: Path) -> ClusterFile:
        """Return the same cluster in another folder."""
        return dataclasses.replace(self, folder=str(folder))


def read_cluster_file(folder: Path) -> ClusterFile | None:
    """Read a folder's `cluster.json`; None when there is none.

    Raises:
        LocalStackError: the file is not what `write_cluster_file` wrote.
    """
    path = ClusterFile.path(folder)
    try:
        return ClusterFile(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except (json.JSONDecodeError, TypeError) as error:
        raise LocalStackError(
            f"cluster.json cannot be read: {error}", where=str(path), remedy="Restore it from a backup."
        ) from None


def write_cluster_file(folder: Path, cluster: ClusterFile) -> None:
    """Write a folder's `cluster.json` atomically."""
    write_text(ClusterFile.path(folder), json.dumps(dataclasses.asdict(cluster), indent=2))
