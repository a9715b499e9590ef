"""The keys of a home's local project, in a file that only its owner reads; the same from start to start."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from two_tower_assets.errors import LocalStackError
from two_tower_assets.local.keys import ProjectKeys, new_secret


@dataclass(frozen=True)
class KeptKeys:
    """What clients and servers of the project keep in their configuration. None of it shows in the repr."""

    secret: str = field(repr=False)
    anon: str = field(repr=False)
    service_role: str = field(repr=False)

    @property
    def project(self) -> ProjectKeys:
        """The keys that the secret gives, such as a user's token."""
        return ProjectKeys(self.secret)


def keep_keys(file: Path) -> KeptKeys:
    """Read the keys, or make and write them the first time (mode 0600).

    Raises:
        LocalStackError: the file is not what this function wrote.
    """
    try:
        return KeptKeys(**json.loads(file.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return _new(file)
    except (json.JSONDecodeError, TypeError):
        # Nothing of it is repeated: it holds secrets.
        raise LocalStackError(
            "The file of the local project's keys cannot be read",
            where=str(file),
            remedy="Delete it; the next start makes new keys.",
        ) from None


def _new(file: Path) -> KeptKeys:
    project = ProjectKeys(new_secret())
    keys = KeptKeys(project.secret, project.anon, project.service_role)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        json.dump(asdict(keys), stream)
    partial.replace(file)
    return keys
