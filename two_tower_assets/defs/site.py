"""What one run works with: the environment, the settings, the source and where the data set's records lie.

Everything is read when a run asks for it, never at import. Nothing here knows Dagster.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from two_tower_assets.defs.store import AssetStore
from two_tower_assets.environment import EngineKind, Environment, Project, read_environment
from two_tower_assets.home import Home
from two_tower_assets.settings import Settings, load_settings
from two_tower_assets.sources.origin import Origin, find_origin

if TYPE_CHECKING:
    from two_tower_assets.publishing.target import Target


@dataclass(frozen=True)
class Site:
    """One data set on one machine."""

    environment: Environment
    settings: Settings
    origin: Origin

    @property
    def home(self) -> Home:
        """Where everything is written."""
        return self.environment.home

    @property
    def store(self) -> AssetStore:
        """What the assets of this data set left behind."""
        return AssetStore(self.home, self.origin.dataset)

    @property
    def commit(self) -> str:
        """The commit of the code, 40 hex digits."""
        from two_tower_assets.training.version import current_commit

        return current_commit(self.environment.commit, Path(__file__).parent)

    @property
    def engine(self) -> EngineKind:
        """What fits the towers and computes vectors and rankings."""
        return self.environment.engine or self.settings.automation.engine

    @property
    def owns_database(self) -> bool:
        """Whether the pipeline's Postgres is the embedded one, which is migrated without asking."""
        return self.environment.database_url is None

    @cached_property
    def pipeline_url(self) -> str:
        """URL of the pipeline's Postgres; the embedded one is started and given a database when needed."""
        if self.environment.database_url is not None:
            return self.environment.database_url
        from two_tower_assets.local.postgres import EmbeddedPostgres

        embedded = EmbeddedPostgres(self.home.postgres)
        embedded.start()
        return embedded.ensure_database(self.origin.dataset)

    @property
    def served_from(self) -> str | None:
        """URL of the Postgres that releases are published to, if it need not be started first; else None."""
        named = self.environment.serving_url or self.environment.database_url
        if named is not None:
            return named
        from two_tower_assets.local.postgres import EmbeddedPostgres

        embedded = EmbeddedPostgres(self.home.postgres)
        return embedded.url(self.origin.dataset) if embedded.is_running() else None

    @property
    def serving_url(self) -> str:
        """URL of the Postgres that releases are published to."""
        return self.environment.serving_url or self.pipeline_url

    @property
    def feature_project(self) -> Project | None:
        """The project whose REST API gives the feature payloads, where the settings say so."""
        return self.environment.project if self.settings.features.feature_source == "rest" else None

    @cached_property
    def target(self) -> Target:
        """Where releases go: the serving database and the buckets."""
        from two_tower_assets.publishing.target import Target
        from two_tower_assets.storage.buckets import open_buckets

        return Target(self.serving_url, open_buckets(self.environment, self.origin.dataset))


def open_site(
    *, home: Path | None = None, data_folder: Path | None = None, settings_file: Path | None = None
) -> Site:
    """Read the environment and the settings; arguments win over both."""
    environment = read_environment()
    environment = dataclasses.replace(
        environment,
        home=Home(home.resolve()) if home else environment.home,
        data_folder=data_folder.resolve() if data_folder else environment.data_folder,
        settings_file=settings_file or environment.settings_file,
    )
    settings = load_settings(environment.settings_file)
    return Site(environment, settings, find_origin(settings.source, environment))
