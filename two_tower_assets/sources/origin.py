"""Which source a run reads (the sample, a folder, rows in place, a Supabase project) and its data set's name.

What does not live here: reading the rows (`sample`, `folder`, `load`, `sync`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeVar

from psycopg.conninfo import conninfo_to_dict

from two_tower_assets.database.connection import libpq_url
from two_tower_assets.environment import Environment
from two_tower_assets.errors import EnvironmentVariableError
from two_tower_assets.settings import SourceSettings

_T = TypeVar("_T")


@dataclass(frozen=True)
class Origin:
    """Where the rows come from."""

    kind: Literal["sample", "folder", "postgres", "supabase"]
    dataset: str
    """Name of the data set: of its database in the embedded Postgres, and of its records on disk."""
    folder: Path | None = None
    project: str | None = None
    """URL of the Supabase project, or host and database where only a Postgres URL names it; never a secret."""

    @property
    def label(self) -> str:
        """How the source is named to people and in the load record."""
        named = self.folder or self.project
        return f"{self.kind} {named}" if named else self.kind

    @property
    def is_live(self) -> bool:
        """Whether rows go on arriving, so that a snapshot is cut at the run's start."""
        return self.kind in {"postgres", "supabase"}


def find_origin(settings: SourceSettings, environment: Environment) -> Origin:
    """Decide the source from the environment and the settings (see `SourceSettings.kind`).

    Raises:
        EnvironmentVariableError: a source is asked for whose variable is not set, or a project that is to be copied
            onto itself.
    """
    kind = environment.source or settings.kind
    if kind == "auto":
        kind = _found(environment)
    if kind == "sample":
        return Origin("sample", dataset="sample")
    if kind == "folder":
        folder = _required(environment.data_folder, "TWO_TOWER_DATA", "Name the folder that holds the data.")
        return Origin("folder", dataset=_dataset(folder.name, str(folder)), folder=folder)
    if kind == "supabase":
        return _project(environment)
    url = _required(environment.database_url, "TWO_TOWER_DATABASE_URL", "Name the Postgres that holds the rows.")
    return Origin("postgres", dataset=_dataset("postgres", url.rpartition("@")[2]))


def _found(environment: Environment) -> Literal["sample", "folder", "postgres", "supabase"]:
    if environment.data_folder:
        return "folder"
    has_project = environment.supabase_url is not None and environment.supabase_key is not None
    if has_project and not is_same_database(environment.database_url, environment.serving_url):
        return "supabase"
    return "postgres" if environment.database_url else "sample"


def _project(environment: Environment) -> Origin:
    if is_same_database(environment.database_url, environment.serving_url):
        raise EnvironmentVariableError(
            "TWO_TOWER_DATABASE_URL and SUPABASE_DB_URL name one database: it cannot be copied onto itself",
            where="TWO_TOWER_DATABASE_URL",
            remedy="Unset it to use the embedded Postgres, or read the rows in place: TWO_TOWER_SOURCE=postgres.",
        )
    if environment.serving_url is None:
        remedy = "Name the project and its service role key, or its Postgres (SUPABASE_DB_URL)."
        _required(environment.supabase_url, "SUPABASE_URL", remedy)
        _required(environment.supabase_key, "SUPABASE_SERVICE_ROLE_KEY", remedy)
    project = environment.supabase_url or str(environment.serving_url).rpartition("@")[2].partition("?")[0]
    return Origin("supabase", dataset=_dataset("supabase", project), project=project)


def is_same_database(one: str | None, other: str | None) -> bool:
    """Whether two URLs name the same server and database, whoever logs in."""
    return one is not None and other is not None and _place(one) == _place(other)


def _place(url: str) -> tuple[str, str, str]:
    parts = conninfo_to_dict(libpq_url(url))
    user = str(parts.get("user") or "")
    return (
        str(parts.get("host") or parts.get("hostaddr") or "").lower(),
        str(parts.get("port") or "5432"),
        str(parts.get("dbname") or user),
    )


def _required(value: _T | None, name: str, remedy: str) -> _T:
    if value is None:
        raise EnvironmentVariableError("The settings ask for a source that is not named", where=name, remedy=remedy)
    return value


def _dataset(name: str, identity: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "data"
    return f"{slug[:40]}_{hashlib.sha256(identity.encode()).hexdigest()[:8]}"
