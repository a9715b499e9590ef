"""What commands have in common: errors as one paragraph, and the folder of rows."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from two_tower_assets.errors import TwoTowerError

data_option: Final = click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Folder of rows (TWO_TOWER_DATA)."
)


class FriendlyGroup(click.Group):
    """Commands whose errors are told without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except TwoTowerError as error:
            raise click.ClickException(f"{error} ({error.code})") from None
