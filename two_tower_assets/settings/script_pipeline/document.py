"""A YAML file as a flat list of keys with their lines; what the keys mean is not known here."""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from typing import Final

import yaml

from two_tower_assets.errors import SettingsError

# What YAML 1.2 and most people take for a number, and YAML 1.1 for a string.
_EXPONENT: Final = re.compile(r"[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+")


@dataclass(frozen=True)
class Entry:
    """One key of the file."""

    key: str
    """With the tables that it lies in, joined by dots."""
    line: int
    """Counted from 1."""
    value: object


class _Loader(yaml.SafeLoader):
    """Builds plain values only; adds resolvers of its own to none but itself."""


_Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("-+0123456789"))


def read_entries(content: bytes, tables: Container[str], *, where: str) -> tuple[Entry, ...]:
    """Read every key, in the order of the file.

    Args:
        content: of the file.
        tables: keys that hold keys; what lies in another is its value.
        where: the file's name for errors.

    Raises:
        SettingsError: this is not one YAML document of keys, or a key is there twice.
    """
    try:
        entries = tuple(_entries(content, tables))
    # Python and not the parser refuses values such as the date 2026-99-99, and what is nested too deeply.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SettingsError(
            f"The file is not YAML: {_reason(error)}", where=where, remedy="Mend the line it names."
        ) from None
    if not entries:
        raise SettingsError("The file holds no keys", where=where, remedy="Name the script pipeline's settings file.")
    _refuse_repetition(entries, where)
    return entries


def _entries(content: bytes, tables: Container[str]) -> Iterator[Entry]:
    loader = _Loader(content)
    try:
        root = loader.get_single_node()
        if root is not None:
            yield from _below(root, "", loader, tables)
    finally:
        loader.dispose()


def _below(node: yaml.Node, table: str, loader: _Loader, tables: Container[str]) -> Iterator[Entry]:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.MarkedYAMLError(problem="keys are expected here", problem_mark=node.start_mark)
    for name, value in node.value:
        if not isinstance(name, yaml.ScalarNode):
            raise yaml.MarkedYAMLError(problem="a key must be a word", problem_mark=name.start_mark)
        key = f"{table}.{name.value}" if table else name.value
        if key in tables:
            yield from _below(value, key, loader, tables)
        else:
            yield Entry(key, name.start_mark.line + 1, loader.construct_object(value, deep=True))


def _refuse_repetition(entries: tuple[Entry, ...], where: str) -> None:
    first: dict[str, int] = {}
    for entry in entries:
        if entry.key in first:
            raise SettingsError(
                f"`{entry.key}` is set in line {first[entry.key]} and again in line {entry.line}",
                where=where,
                remedy="Remove one of them.",
            )
        first[entry.key] = entry.line


def _reason(error: Exception) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error)
