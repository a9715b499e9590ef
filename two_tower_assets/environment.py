"""Connections and secrets, read from the environment or a `.env` file; never at import.

What does not live here: hyper-parameters and every other choice that changes a model (`settings`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast, get_args

from dotenv import dotenv_values

from two_tower_assets.errors import EnvironmentVariableError
from two_tower_assets.home import Home

SourceKind = Literal["auto", "sample", "folder", "postgres", "supabase"]

DEFAULT_HOME: Final = ".two_tower"
DEFAULT_BUCKET: Final = "model-artifacts"
DEFAULT_PREFIX: Final = "two-tower/v3"


@dataclass(frozen=True)
class Environment:
    """What the process was told from outside. Values that may carry a password stay out of the repr."""

    home: Home
    data_folder: Path | None = None
    """`TWO_TOWER_DATA`: a folder of parquet or CSV files to learn from."""
    source: SourceKind | None = None
    """`TWO_TOWER_SOURCE`: overrides `source.kind` of the settings."""
    settings_file: Path | None = None
    """`TWO_TOWER_SETTINGS`: the settings file, when it is not ./two_tower.toml."""
    database_url: str | None = field(default=None, repr=False)
    """`TWO_TOWER_DATABASE_URL`: the pipeline's own Postgres; the embedded one when unset."""
    serving_url: str | None = field(default=None, repr=False)
    """`SUPABASE_DB_URL`: where releases are published; the pipeline's own Postgres when unset."""
    dagster_url: str | None = field(default=None, repr=False)
    """`DAGSTER_POSTGRES_URL`: Dagster's own storage; the embedded Postgres when unset."""
    supabase_url: str | None = None
    """`SUPABASE_URL`: the project whose Storage (and, where no Postgres URL is given, REST) is used."""
    supabase_key: str | None = field(default=None, repr=False)
    """`SUPABASE_SERVICE_ROLE_KEY`, `SUPABASE_SERVICE_KEY` or the first of `SUPABASE_SECRET_KEYS`."""
    storage_url: str | None = field(default=None, repr=False)
    """`TWO_TOWER_STORAGE_URL`: a folder or an S3-like URL that holds the buckets, instead of Supabase Storage."""
    bucket: str = DEFAULT_BUCKET
    """`MODEL_ARTIFACTS_BUCKET`: the public bucket; the private one has the same name with `-private`."""
    prefix: str = DEFAULT_PREFIX
    """`MODEL_ARTIFACTS_PREFIX`: folder in both buckets, without slashes at its ends."""
    github_env: Path | None = None
    """`GITHUB_ENV`: file through which a CI step hands variables to later ones."""
    commit: str | None = None
    """`GITHUB_SHA`, when a CI runner names the commit."""


def read_environment(variables: Mapping[str, str] | None = None, *, folder: Path | None = None) -> Environment:
    """Read the environment over the `.env` file of `folder` (default: the working directory).

    The process environment wins over `.env`; an empty value counts as unset. Surrounding blanks are removed;
    quotes and `export` in `.env` are read as a shell would.

    Raises:
        EnvironmentVariableError: a URL, a folder or a key cannot be what its variable says.
    """
    folder = folder or Path.cwd()
    from_file = {key: value for key, value in dotenv_values(folder / ".env").items() if value}
    merged = {
        **from_file,
        **{key: value for key, value in (variables or os.environ).items() if value.strip()},
    }
    values = {key: value.strip() for key, value in merged.items()}
    return Environment(
        home=Home(_path(values.get("TWO_TOWER_HOME", DEFAULT_HOME), folder)),
        data_folder=_data_folder(values, folder),
        source=_source(values),
        settings_file=_path(values["TWO_TOWER_SETTINGS"], folder) if "TWO_TOWER_SETTINGS" in values else None,
        database_url=_postgres_url(values, "TWO_TOWER_DATABASE_URL"),
        serving_url=_postgres_url(values, "SUPABASE_DB_URL"),
        dagster_url=_postgres_url(values, "DAGSTER_POSTGRES_URL"),
        supabase_url=_supabase_url(values),
        supabase_key=_supabase_key(values),
        storage_url=values.get("TWO_TOWER_STORAGE_URL"),
        bucket=values.get("MODEL_ARTIFACTS_BUCKET", DEFAULT_BUCKET),
        prefix=values.get("MODEL_ARTIFACTS_PREFIX", DEFAULT_PREFIX).strip("/"),
        github_env=Path(values["GITHUB_ENV"]) if "GITHUB_ENV" in values else None,
        commit=values.get("GITHUB_SHA"),
    )


def _path(text: str, folder: Path) -> Path:
    return (folder / Path(text).expanduser()).resolve()


def _data_folder(values: Mapping[str, str], folder: Path) -> Path | None:
    if "TWO_TOWER_DATA" not in values:
        return None
    path = _path(values["TWO_TOWER_DATA"], folder)
    if not path.is_dir():
        raise EnvironmentVariableError(
            f"The data folder {path} does not exist",
            where="TWO_TOWER_DATA",
            remedy="Name a folder with videos, profiles and user_video_decisions as parquet or CSV.",
        )
    return path


def _source(values: Mapping[str, str]) -> SourceKind | None:
    kind = values.get("TWO_TOWER_SOURCE")
    if kind is not None and kind not in get_args(SourceKind):
        raise EnvironmentVariableError(
            f"There is no kind of source {kind!r}",
            where="TWO_TOWER_SOURCE",
            remedy=f"Use one of {', '.join(get_args(SourceKind))}.",
        )
    return cast("SourceKind | None", kind)


def _postgres_url(values: Mapping[str, str], name: str) -> str | None:
    url = values.get(name)
    if url is not None and not url.startswith(("postgresql://", "postgres://", "postgresql+psycopg2://")):
        raise EnvironmentVariableError(
            "The value is not a Postgres URL",
            where=name,
            remedy="Use postgresql://user:password@host:port/database.",
        )
    return url


def _supabase_url(values: Mapping[str, str]) -> str | None:
    url = values.get("SUPABASE_URL")
    if url is not None and not url.startswith(("https://", "http://")):
        raise EnvironmentVariableError(
            "The value is not the URL of a Supabase project",
            where="SUPABASE_URL",
            remedy="Use https://<project>.supabase.co, as the project's settings show it.",
        )
    return url.rstrip("/") if url else None


def _supabase_key(values: Mapping[str, str]) -> str | None:
    for name in ("SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SERVICE_KEY"):
        if name in values:
            return values[name]
    return _first_secret_key(values["SUPABASE_SECRET_KEYS"]) if "SUPABASE_SECRET_KEYS" in values else None


def _first_secret_key(text: str) -> str:
    """Read the dictionary of name to key that hosted functions are given; the key named `default` comes first."""
    try:
        keys = {str(name): str(key) for name, key in json.loads(text).items()}
    except (json.JSONDecodeError, AttributeError):
        keys = {}
    if not keys:
        raise EnvironmentVariableError(
            "The value is not a JSON dictionary of keys",
            where="SUPABASE_SECRET_KEYS",
            remedy='Use {"default": "sb_secret_…"}, or set SUPABASE_SERVICE_ROLE_KEY.',
        )
    return keys.get("default") or next(iter(keys.values()))
