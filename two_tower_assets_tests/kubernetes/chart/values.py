"""Values for Dagster's Helm chart: read by their path, and those named that nothing read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from two_tower_assets_tests.kubernetes.manifests import FOLDER

# These choose what is rendered and go nowhere.
_SWITCHES: Final = (
    "generatePostgresqlPasswordSecret",
    "rabbitmq.enabled",
    "redis.enabled",
    "flower.enabled",
    "ingress.enabled",
)


@dataclass
class Values:
    """Values by dotted path, remembering which were taken."""

    content: dict[str, Any]
    _taken: set[str] = field(default_factory=set)

    def __call__(self, path: str) -> Any:
        """One value, or a whole tree of them."""
        self._taken.add(path)
        return self._at(path)

    def __contains__(self, path: str) -> bool:
        """Whether there is such a value."""
        above, _, key = path.rpartition(".")
        return key in self._at(above)

    def _at(self, path: str) -> Any:
        value: Any = self.content
        for key in path.split("."):
            value = value[int(key) if isinstance(value, list) else key]
        return value

    @property
    def unread(self) -> set[str]:
        """Paths of the values that nothing took."""
        return {
            path
            for path in _leaves(self.content)
            if not any(path == taken or path.startswith(f"{taken}.") for taken in (*self._taken, *_SWITCHES))
        }


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    entries = list(inner)
    if not entries:
        yield path
    for key, each in entries:
        yield from _leaves(each, f"{path}.{key}" if path else str(key))


def read_values(own: Mapping[str, Any] | None = None) -> Values:
    """The repository's values, and over them somebody's own."""
    content = yaml.safe_load((FOLDER / "values.yaml").read_text(encoding="utf-8"))
    return Values(_merged(content, own or {}))


def _merged(values: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(values)
    for key, value in own.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), dict)
        merged[key] = _merged(merged[key], value) if both else value
    return merged
