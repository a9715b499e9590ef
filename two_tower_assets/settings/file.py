"""Reading the settings file, and refusing what it should not hold."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from two_tower_assets.errors import SettingsError
from two_tower_assets.settings.script_pipeline import is_yaml, refuse_yaml
from two_tower_assets.settings.spelling import suggestion
from two_tower_assets.settings.tables import Settings

DEFAULT_FILE: Final = "two_tower.toml"


def load_settings(path: Path | None = None, *, folder: Path | None = None) -> Settings:
    """Read the settings file, or return the defaults when no file is named and ./two_tower.toml does not exist.

    Raises:
        SettingsError: the file is missing, is not TOML or is the script pipeline's YAML (each of its keys is named
            with its newer name), a key is unknown (the nearest one is suggested), or a value is out of range.
    """
    file = path or (folder or Path.cwd()) / DEFAULT_FILE
    if path is None and not file.exists():
        return Settings()
    try:
        if is_yaml(file):
            raise refuse_yaml(file)
        values = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(
            "The settings file does not exist",
            where=str(file),
            remedy="Correct TWO_TOWER_SETTINGS or unset it.",
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"The settings file is not TOML: {error}", where=str(file), remedy="Mend the line it names."
        ) from None
    return parse_settings(values, where=str(file))


def parse_settings(values: dict[str, Any], *, where: str) -> Settings:
    """Validate settings given as nested dictionaries; errors name `where`, the key and the nearest known key."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(
            "; ".join(_explain(error)), where=where, remedy="Run `two-tower settings` to see every key."
        ) from None


def _explain(error: ValidationError) -> Iterator[str]:
    for problem in error.errors():
        keys = [str(part) for part in problem["loc"]]
        if problem["type"] == "extra_forbidden":
            yield f"Unknown key `{'.'.join(keys)}`{suggestion(keys)}"
        else:
            yield f"`{'.'.join(keys)}` = {problem['input']!r}: {problem['msg']}"
