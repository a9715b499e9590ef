"""Connections and secrets, read from the environment or a `.env` file; never at import.

What does not live here: hyper-parameters and every other choice that changes a model (`settings`).
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, cast, get_args

from dotenv import dotenv_values

from two_tower_assets.errors import EnvironmentVariableError
from two_tower_assets.home import Home

SourceKind = Literal["auto", "sample", "folder", "postgres", "supabase"]
EngineKind = Literal["local", "ray"]

DEFAULT_HOME: Final = ".two_tower"
DEFAULT_BUCKET: Final = "model-artifacts"
DEFAULT_PREFIX: Final = "two-tower/v3"

_OLDER_NAMES: Final = {
    "SUPABASE_SECRET_KEYS": "SUPABASE_SERVICE_ROLE_KEY",
    "SUPABASE_PUBLISHABLE_KEYS": "SUPABASE_ANON_KEY",
}


@dataclass(frozen=True)
class Project:
    """A Supabase project, and a key with which everything there may be read and written."""

    url: str
    key: str = field(repr=False)


@dataclass(frozen=True)
class ListSettings:
    """How the functions make a list, as their own environment says it (`_shared/environment.ts`)."""

    candidates: int = 60
    """`RECOMMEND_CANDIDATES`: fewest that a list is chosen from."""
    diversity_lambda: float = 0.9
    """`DIVERSITY_LAMBDA`: 1 sorts by score alone."""
    explore_share: float = 0.02
    """`EXPLORE_SHARE`: of places that are given away."""


@dataclass(frozen=True)
class Environment:
    """What the process was told from outside. Values that may carry a password stay out of the repr."""

    home: Home
    data_folder: Path | None = None
    """`TWO_TOWER_DATA`: a folder of parquet or CSV files to learn from."""
    source: SourceKind | None = None
    """`TWO_TOWER_SOURCE`: overrides `source.kind` of the settings."""
    engine: EngineKind | None = None
    """`TWO_TOWER_ENGINE`: overrides `automation.engine` of the settings."""
    settings_file: Path | None = None
    """`TWO_TOWER_SETTINGS`: the settings file, when it is not ./two_tower.toml."""
    database_url: str | None = field(default=None, repr=False)
    """`TWO_TOWER_DATABASE_URL`: the pipeline's own Postgres; the embedded one when unset."""
    serving_url: str | None = field(default=None, repr=False)
    """`SUPABASE_DB_URL`: where releases are published; the pipeline's own Postgres when unset."""
    project_id: str | None = None
    """`SUPABASE_PROJECT_ID`: the project's reference; with the next two, `two-tower connect` finds its Postgres."""
    database_password: str | None = field(default=None, repr=False)
    """`SUPABASE_DB_PASSWORD`: of the project's Postgres."""
    access_token: str | None = field(default=None, repr=False)
    """`SUPABASE_ACCESS_TOKEN`: a person's own, which lets Supabase's Management API say where that Postgres is."""
    dagster_url: str | None = field(default=None, repr=False)
    """`DAGSTER_POSTGRES_URL`: Dagster's own storage; the embedded Postgres when unset."""
    supabase_url: str | None = None
    """`SUPABASE_URL`: the project whose Storage (and, where no Postgres URL is given, REST) is used."""
    supabase_key: str | None = field(default=None, repr=False)
    """`SUPABASE_SERVICE_ROLE_KEY`, `SUPABASE_SERVICE_KEY` or the first of `SUPABASE_SECRET_KEYS`."""
    public_key: str | None = field(default=None, repr=False)
    """`SUPABASE_ANON_KEY` or the first of `SUPABASE_PUBLISHABLE_KEYS`: what clients that nobody signed in to have."""
    jwt_secret: str | None = field(default=None, repr=False)
    """`SUPABASE_JWT_SECRET` or `JWT_SECRET`: signs users' tokens the older way; for `verify --functions`."""
    user_token: str | None = field(default=None, repr=False)
    """`SUPABASE_USER_TOKEN`: a signed-in user's token, for `verify --functions` where there is no such secret."""
    artifact_base_url: str | None = None
    """`MODEL_ARTIFACT_BASE_URL`: public URL of `<prefix>/current`, where it is not that of the buckets here."""
    storage_url: str | None = field(default=None, repr=False)
    """`TWO_TOWER_STORAGE_URL`: a folder or an S3-like URL that holds the buckets, instead of Supabase Storage."""
    bucket: str = DEFAULT_BUCKET
    """`MODEL_ARTIFACTS_BUCKET`: the public bucket; the private one has the same name with `-private`."""
    prefix: str = DEFAULT_PREFIX
    """`MODEL_ARTIFACTS_PREFIX`: folder in both buckets, without slashes at its ends."""
    lists: ListSettings = ListSettings()
    """What the functions are told of lists, where a value that nobody was shown is computed."""
    failure_webhook: str | None = field(default=None, repr=False)
    """`TWO_TOWER_FAILURE_WEBHOOK`: where failed runs are told of as JSON. The address itself is the secret."""
    github_env: Path | None = None
    """`GITHUB_ENV`: file through which a CI step hands variables to later ones."""
    commit: str | None = None
    """`GITHUB_SHA`, when a CI runner names the commit."""

    @property
    def project(self) -> Project:
        """The project that `SUPABASE_URL` and a key name.

        Raises:
            EnvironmentVariableError: one of them is not set.
        """
        if self.supabase_url is None:
            raise _unset("SUPABASE_URL")
        if self.supabase_key is None:
            raise _unset("SUPABASE_SERVICE_ROLE_KEY")
        return Project(self.supabase_url, self.supabase_key)

    @property
    def required_serving_url(self) -> str:
        """`SUPABASE_DB_URL`.

        Raises:
            EnvironmentVariableError: it is not set.
        """
        if self.serving_url is None:
            raise EnvironmentVariableError(
                "SUPABASE_DB_URL is not set, and without it nothing can be published",
                where="SUPABASE_DB_URL",
                remedy="Set it to the URL of the project's Postgres, directly or through its pooler in session mode.",
            )
        return self.serving_url


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
        engine=_engine(values),
        settings_file=_path(values["TWO_TOWER_SETTINGS"], folder) if "TWO_TOWER_SETTINGS" in values else None,
        database_url=_postgres_url(values, "TWO_TOWER_DATABASE_URL"),
        serving_url=_postgres_url(values, "SUPABASE_DB_URL"),
        project_id=values.get("SUPABASE_PROJECT_ID"),
        database_password=values.get("SUPABASE_DB_PASSWORD"),
        access_token=values.get("SUPABASE_ACCESS_TOKEN"),
        dagster_url=_postgres_url(values, "DAGSTER_POSTGRES_URL"),
        supabase_url=_supabase_url(values),
        supabase_key=_supabase_key(values),
        public_key=_first(values, "SUPABASE_ANON_KEY") or _first_key(values, "SUPABASE_PUBLISHABLE_KEYS"),
        jwt_secret=_first(values, "SUPABASE_JWT_SECRET", "JWT_SECRET"),
        user_token=values.get("SUPABASE_USER_TOKEN"),
        artifact_base_url=values.get("MODEL_ARTIFACT_BASE_URL", "").rstrip("/") or None,
        storage_url=values.get("TWO_TOWER_STORAGE_URL"),
        bucket=values.get("MODEL_ARTIFACTS_BUCKET", DEFAULT_BUCKET),
        prefix=values.get("MODEL_ARTIFACTS_PREFIX", DEFAULT_PREFIX).strip("/"),
        lists=ListSettings(
            candidates=int(_number(values, "RECOMMEND_CANDIDATES", ListSettings.candidates, 1, 500)),
            diversity_lambda=_number(values, "DIVERSITY_LAMBDA", ListSettings.diversity_lambda, 0, 1),
            explore_share=_number(values, "EXPLORE_SHARE", ListSettings.explore_share, 0, 0.5),
        ),
        failure_webhook=_webhook(values),
        github_env=Path(values["GITHUB_ENV"]) if "GITHUB_ENV" in values else None,
        commit=values.get("GITHUB_SHA"),
    )


def sendable(key: str, name: str = "SUPABASE_SERVICE_ROLE_KEY") -> str:
    """Return a key that can be sent in a header; the HTTP library's own error for another would repeat it.

    Args:
        key: of a project or a person.
        name: the variable that it came from.

    Raises:
        EnvironmentVariableError: it holds what no key has.
    """
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise EnvironmentVariableError(
            "The key holds blanks or letters that no key has",
            where=name,
            remedy="Copy the key again, without line breaks, from the project's API settings.",
        )
    return key


def _unset(name: str) -> EnvironmentVariableError:
    return EnvironmentVariableError(
        f"{name} is not set",
        where=name,
        remedy="Set SUPABASE_URL and SUPABASE_SERVICE_ROLE_KEY from the project's settings, in .env or the "
        "environment.",
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
    return cast("SourceKind | None", _one_of(values, "TWO_TOWER_SOURCE", "kind of source", get_args(SourceKind)))


def _engine(values: Mapping[str, str]) -> EngineKind | None:
    return cast("EngineKind | None", _one_of(values, "TWO_TOWER_ENGINE", "engine", get_args(EngineKind)))


def _one_of(values: Mapping[str, str], name: str, what: str, known: tuple[str, ...]) -> str | None:
    value = values.get(name)
    if value is not None and value not in known:
        raise EnvironmentVariableError(
            f"There is no {what} {value!r}", where=name, remedy=f"Use one of {', '.join(known)}."
        )
    return value


def _number(values: Mapping[str, str], name: str, otherwise: float, least: float, most: float) -> float:
    try:
        value = float(values.get(name, otherwise))
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise EnvironmentVariableError(
            f"The value is not a number from {least:g} to {most:g}",
            where=name,
            remedy="Set it to what the functions are told, or not at all.",
        )
    return value


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


def _webhook(values: Mapping[str, str]) -> str | None:
    name = "TWO_TOWER_FAILURE_WEBHOOK"
    url = values.get(name)
    if url is not None and not url.startswith(("https://", "http://")):
        raise EnvironmentVariableError(
            "The value is not the URL of a webhook",
            where=name,
            remedy="Use the https:// address that takes the JSON.",
        )
    return url


def _supabase_key(values: Mapping[str, str]) -> str | None:
    own = _first(values, "SUPABASE_SERVICE_ROLE_KEY", "SUPABASE_SERVICE_KEY")
    return own or _first_key(values, "SUPABASE_SECRET_KEYS")


def _first(values: Mapping[str, str], *names: str) -> str | None:
    return next((values[name] for name in names if name in values), None)


def _first_key(values: Mapping[str, str], name: str) -> str | None:
    """Read a dictionary of name to key that hosted functions are given; the key named `default` comes first."""
    if name not in values:
        return None
    try:
        keys = {str(label): str(key) for label, key in json.loads(values[name]).items()}
    except (json.JSONDecodeError, AttributeError):
        keys = {}
    if not keys:
        kind = "secret" if name == "SUPABASE_SECRET_KEYS" else "publishable"
        raise EnvironmentVariableError(
            "The value is not a JSON dictionary of keys",
            where=name,
            remedy=f'Use {{"default": "sb_{kind}_…"}}, or set {_OLDER_NAMES[name]}.',
        )
    return keys.get("default") or next(iter(keys.values()))
