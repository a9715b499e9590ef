"""The space that is searched, as the annotations of the settings say it (`settings.search`), and points in it.

A point is what a study keeps: numbers, and values of a choice as JSON text, by `table.key`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from two_tower_assets.settings import Settings, parse_settings
from two_tower_assets.settings.search import Between, OneOf, Searched

Kept = float | str
"""A whole number is an int."""
Point = Mapping[str, Kept]

_DIGITS: Final = 3
"""Of a drawn number: what is measured is what a person can write down."""


@dataclass(frozen=True)
class Dimension:
    """One setting that is searched."""

    key: str
    """`table.name`."""
    searched: Searched
    is_list: bool = False
    """Whether the setting is a list."""

    def keep(self, value: Any) -> Kept | None:
        """A value of the setting as a study keeps it; of a list of numbers the last; None when it's not searched."""
        if isinstance(self.searched, OneOf):
            return json.dumps(value) if value in self.searched.options else None
        number: float = value[-1] if self.is_list else value
        return number if self.searched.low <= number <= self.searched.high else None

    def read(self, kept: Kept) -> Any:
        """What the settings file would say."""
        if isinstance(self.searched, OneOf):
            return json.loads(str(kept))
        number = kept if isinstance(kept, int) else float(f"{kept:.{_DIGITS}g}")
        return [number] if self.is_list else number


def search_space(settings: Settings) -> tuple[Dimension, ...]:
    """Every setting that is searched under the preset of these settings, in their order."""
    preset = settings.features.preset
    return tuple(found for found in _dimensions(settings) if found.searched.preset in {None, preset})


def current_point(space: tuple[Dimension, ...], settings: Settings) -> Point:
    """What the settings are now, as far as it lies in the space."""
    kept = {dimension.key: dimension.keep(value_of(settings, dimension.key)) for dimension in space}
    return {key: value for key, value in kept.items() if value is not None}


def at_point(settings: Settings, space: tuple[Dimension, ...], point: Point) -> Settings:
    """The settings with the values of a point, validated as a file's are.

    Raises:
        SettingsError: a value is out of the range that its setting has.
    """
    read = {dimension.key: dimension.read(point[dimension.key]) for dimension in space if dimension.key in point}
    return with_values(settings, read)


def with_values(settings: Settings, values: Mapping[str, Any]) -> Settings:
    """The settings with other values, by `table.key` and as a file holds them.

    Raises:
        SettingsError: a value is out of the range that its setting has.
    """
    dumped = settings.model_dump(mode="json")
    for key, value in values.items():
        table, _, name = key.partition(".")
        dumped[table][name] = value
    return parse_settings(dumped, where="tuning")


def not_searched(space: tuple[Dimension, ...], settings: Settings) -> dict[str, Any]:
    """What all points have in common of what decides how a model is fitted and measured."""
    dumped = settings.model_dump(mode="json", include={"features", "model", "training", "evaluation"})
    for dimension in space:
        table, _, name = dimension.key.partition(".")
        del dumped[table][name]
    return dumped


def value_of(settings: Settings, key: str) -> Any:
    """The value at `table.name`."""
    table, _, name = key.partition(".")
    return getattr(getattr(settings, table), name)


def _dimensions(settings: Settings) -> Iterator[Dimension]:
    for table, values in settings:
        assert isinstance(values, BaseModel)
        for name, field in type(values).model_fields.items():
            for searched in field.metadata:
                if isinstance(searched, Between | OneOf):
                    yield Dimension(f"{table}.{name}", searched, isinstance(getattr(values, name), tuple))
