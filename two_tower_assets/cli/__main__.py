"""`python -m two_tower_assets.cli …`."""

from two_tower_assets.cli import main

main(prog_name="two-tower")
