"""A profile of what an asset does, where TWO_TOWER_PROFILE is set: files in the home, a picture in the metadata."""

from __future__ import annotations

import base64
import functools
import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any, Final, ParamSpec, TypeVar

import dagster as dg

from two_tower_assets.defs.store import Made
from two_tower_assets.environment import read_environment
from two_tower_assets.home import write_text
from two_tower_assets.profiling.flame import flame_graph, folded
from two_tower_assets.profiling.sampler import sampled

VARIABLE: Final = "TWO_TOWER_PROFILE"
_LARGEST_PICTURE: Final = 100_000
"""Bytes; more would bloat the event log."""

_P = ParamSpec("_P")
_T = TypeVar("_T")
_Body = Callable[_P, dg.MaterializeResult[Made]]


def look(key: str, work: Callable[[], _T]) -> tuple[_T, Mapping[str, Any]]:
    """Do some work and return what it returns, and metadata that shows where its time went where somebody asked.

    Args:
        key: `stage/noun`; the files are `<home>/profiles/<key>.svg` and `.folded`.
        work: what is looked at.
    """
    if not os.environ.get(VARIABLE):
        return work(), {}
    value, stacks = sampled(work)
    files = read_environment().home.root / "profiles"
    picture = flame_graph(stacks, key)
    write_text(files / f"{key}.svg", picture)
    write_text(files / f"{key}.folded", folded(stacks))
    shown: dict[str, Any] = {
        "profile": dg.MetadataValue.path(files / f"{key}.svg"),
        "profile_stacks": dg.MetadataValue.path(files / f"{key}.folded"),
    }
    if len(picture) < _LARGEST_PICTURE:
        data = base64.b64encode(picture.encode()).decode()
        shown["profile_picture"] = dg.MetadataValue.md(f"![{key}](data:image/svg+xml;base64,{data})")
    return value, shown


def profiled(key: str, body: _Body[_P]) -> _Body[_P]:
    """Let an asset's body leave a profile in its metadata where somebody asked for one.

    Args:
        key: of the asset.
        body: makes it.
    """

    @functools.wraps(body)
    def looked_at(*args: _P.args, **kwargs: _P.kwargs) -> dg.MaterializeResult[Made]:
        made, shown = look(key, functools.partial(body, *args, **kwargs))
        if not shown:
            return made
        return dg.MaterializeResult(
            asset_key=made.asset_key,
            value=made.value,
            data_version=made.data_version,
            check_results=made.check_results,
            tags=made.tags,
            metadata={**(made.metadata or {}), **shown},
        )

    # Dagster reads the annotations themselves, not their text.
    looked_at.__signature__ = inspect.signature(body, eval_str=True)  # type: ignore[attr-defined]
    return looked_at
