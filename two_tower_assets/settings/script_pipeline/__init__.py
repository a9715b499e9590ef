"""What the settings of the older script pipeline (`config/default.yaml`) are called and mean here.

One module each for the document (`document`), its known keys (`keys`), their conversion (`convert`) and the error of
those who hand the old file over as it is (`refusal`). What does not live here: the settings themselves (`settings`).
"""

from two_tower_assets.settings.script_pipeline.convert import to_toml
from two_tower_assets.settings.script_pipeline.refusal import is_yaml, refuse_yaml

__all__ = ["is_yaml", "refuse_yaml", "to_toml"]
