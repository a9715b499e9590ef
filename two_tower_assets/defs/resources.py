"""Dagster resources: the workspace that assets work in, and the IO manager that hands records between them.

A resource builds a plain object and computes nothing; secrets stay in the environment and never become config.
"""

from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import Field, PrivateAttr

from two_tower_assets.defs.site import Site, open_site
from two_tower_assets.defs.store import Made
from two_tower_assets.environment import read_environment
from two_tower_assets.settings import Settings, load_settings


class Workspace(dg.ConfigurableResource[Site]):
    """The home folder, the source and the settings of a run; unset fields come from the environment."""

    home: str | None = Field(default=None, description="Folder for everything written; TWO_TOWER_HOME when unset.")
    data: str | None = Field(default=None, description="Folder of rows to learn from; TWO_TOWER_DATA when unset.")
    settings_file: str | None = Field(default=None, description="Settings file; TWO_TOWER_SETTINGS when unset.")
    _site: Site | None = PrivateAttr(default=None)

    @property
    def settings(self) -> Settings:
        """The settings of this run; asked when definitions are built, too, for a schedule must say its time."""
        return load_settings(Path(self.settings_file) if self.settings_file else read_environment().settings_file)

    @property
    def site(self) -> Site:
        """The site of this run, opened once."""
        if self._site is None:
            self._site = open_site(
                home=Path(self.home) if self.home else None,
                data_folder=Path(self.data) if self.data else None,
                settings_file=Path(self.settings_file) if self.settings_file else None,
            )
        return self._site


class PointerIOManager(dg.ConfigurableIOManager):
    """Hands an asset's record to the assets after it; the files themselves stay where they were written."""

    workspace: dg.ResourceDependency[Workspace]

    def handle_output(self, context: dg.OutputContext, obj: Any) -> None:
        """Check that what an asset returned is a record; `produce` has stored it already."""
        assert isinstance(obj, Made), f"{context.asset_key.to_user_string()} must return a record of what it made"

    def load_input(self, context: dg.InputContext) -> Made:
        """Load the latest record of the upstream asset."""
        return self.workspace.site.store.load(context.asset_key.to_user_string())
