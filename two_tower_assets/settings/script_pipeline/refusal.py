"""The error of those whose `TWO_TOWER_SETTINGS` still names the script pipeline's YAML."""

from __future__ import annotations

import shlex
from pathlib import Path

from two_tower_assets.errors import SettingsError
from two_tower_assets.settings.script_pipeline.document import Entry, read_entries
from two_tower_assets.settings.script_pipeline.keys import KEYS, SPELLINGS, TABLES, Carried
from two_tower_assets.settings.spelling import nearest


def is_yaml(file: Path) -> bool:
    """Whether a file's name says that it is YAML."""
    return file.suffix.lower() in {".yaml", ".yml"}


def refuse_yaml(file: Path) -> SettingsError:
    """Make the error that names each key of a YAML file with what it is called here, and the command that converts.

    Raises:
        SettingsError: it is not YAML.
        OSError: it cannot be read.
    """
    entries = read_entries(file.read_bytes(), TABLES, where=str(file))
    keys = "\n  ".join(map(_now, entries))
    return SettingsError(
        "Settings are read from TOML, and this is YAML",
        where=str(file),
        remedy=f"Run `two-tower settings --from-yaml {shlex.quote(str(file))} > two_tower.toml`, look at the result, "
        f"and unset TWO_TOWER_SETTINGS or let it name that file. The keys here, and what they are now:\n  {keys}\n",
    )


def _now(entry: Entry) -> str:
    fate = KEYS.get(entry.key)
    place = f"line {entry.line}: `{entry.key}`"
    if fate is None:
        return f"{place}: unknown{nearest(entry.key, SPELLINGS)}"
    if isinstance(fate, Carried):
        return f"{place}: `{fate.to}`" + (f" ({fate.note})" if fate.note else "")
    return f"{place}: not needed, {fate.why}"
