"""Values as the Dagster UI shows them: figures without noise, pictures, tables, links.

What columns mean is in `columns`, small plots are in `sketches`.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from pydantic import BaseModel

from two_tower_assets.features.space import FeatureSpace


def figure(value: float) -> float:
    """The value to five digits, still a number: the UI plots it over time and prints all digits that it has."""
    return float(f"{value:.5g}")


def figures(values: Mapping[str, Any]) -> dict[str, Any]:
    """Floats as `figure` gives them, everything else as it is."""
    return {name: figure(value) if isinstance(value, float) else value for name, value in values.items()}


def picture(png: bytes, alternative: str) -> dg.MetadataValue[Any]:
    """A PNG inside the metadata, stored in the event log.

    Args:
        png: under 100 KB.
        alternative: what it shows, for whoever doesn't see it.
    """
    return dg.MetadataValue.md(f"![{alternative}](data:image/png;base64,{base64.b64encode(png).decode()})")


def link(url: str) -> dg.MetadataValue[Any]:
    """An address: to be followed where it is on the web; a file's, which browsers refuse to follow, to be copied."""
    return dg.MetadataValue.url(url) if url.startswith(("http://", "https://")) else dg.MetadataValue.path(url)


def table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> dg.MetadataValue[Any]:
    """A table in Markdown, which the UI shows on the page itself when it has fewer than 1000 characters."""
    names = list(columns)
    lines = [names, ["---"] * len(names), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return dg.MetadataValue.md("\n".join(f"| {' | '.join(line)} |" for line in lines))


def counts(by_reason: Mapping[str, Any]) -> dg.MetadataValue[Any]:
    """Numbers of rows by table or reason."""
    return dg.MetadataValue.json(dict(by_reason)) if by_reason else dg.MetadataValue.text("none")


def text_list(items: Iterable[str]) -> dg.MetadataValue[Any]:
    """Names, one a line."""
    return dg.MetadataValue.md("\n".join(f"- {item}" for item in items) or "none")


def records(rows: Iterable[BaseModel]) -> dg.MetadataValue[Any]:
    """Rows of equal models as a table."""
    return dg.MetadataValue.table([dg.TableRecord(figures(row.model_dump())) for row in rows])


def scales(space: FeatureSpace) -> dict[str, dg.MetadataValue[Any]]:
    """Mean and standard deviation of each numeric, as two tables."""
    return {
        name: dg.MetadataValue.table(
            [
                dg.TableRecord(figures({"feature": key, "mean": value.mean, "std": value.std}))
                for key, value in values.items()
            ]
        )
        for name, values in (("user_numeric", space.user_numeric), ("item_numeric", space.item_numeric))
    }


def file_sizes(folder: Path, names: Iterable[str]) -> dg.MetadataValue[Any]:
    """Files with their sizes in bytes."""
    return dg.MetadataValue.json({name: (folder / name).stat().st_size for name in names})
