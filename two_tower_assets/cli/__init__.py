"""`two-tower …`: the command line. Every command is a few calls into the package; errors are one paragraph.

One module holds one group of commands. They import what they need when they run, so that `--help` answers at once.
"""

from __future__ import annotations

import click

from two_tower_assets.cli import experimenting, making, releasing, serving, setting_up, watching
from two_tower_assets.cli.groups import FriendlyGroup
from two_tower_assets.retries import silence_retries


@click.group(cls=FriendlyGroup, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """From decisions in Postgres to a verified, reversible release of a two-tower model."""
    silence_retries()


for _room in (making, releasing, experimenting, watching, serving, setting_up):
    for _command in _room.COMMANDS:
        main.add_command(_command)
