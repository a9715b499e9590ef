"""Values as the Dagster UI shows them: table schemas, pictures, counts by reason."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import polars as pl
from pydantic import BaseModel

from two_tower_assets.features.space import FeatureSpace


def table_schema(schema: pl.Schema) -> dg.TableSchema:
    """Columns and types of a parquet file."""
    return dg.TableSchema([dg.TableColumn(name, str(kind)) for name, kind in schema.items()])


def picture(png: bytes) -> dg.MetadataValue[Any]:
    """A PNG inside the metadata; keep it under 100 KB, it is stored in the event log."""
    return dg.MetadataValue.md(f"![](data:image/png;base64,{base64.b64encode(png).decode()})")


def counts(by_reason: Mapping[str, Any]) -> dg.MetadataValue[Any]:
    """Numbers of rows by table or reason."""
    return dg.MetadataValue.json(dict(by_reason))


def text_list(items: Iterable[str]) -> dg.MetadataValue[Any]:
    """Names, one a line."""
    return dg.MetadataValue.md("\n".join(f"- {item}" for item in items) or "none")


def records(rows: Iterable[BaseModel]) -> dg.MetadataValue[Any]:
    """Rows of equal models as a table."""
    return dg.MetadataValue.table([dg.TableRecord(row.model_dump()) for row in rows])


def scales(space: FeatureSpace) -> dict[str, dg.MetadataValue[Any]]:
    """Mean and standard deviation of each numeric, as two tables."""
    return {
        name: dg.MetadataValue.table(
            [dg.TableRecord({"feature": key, "mean": value.mean, "std": value.std}) for key, value in values.items()]
        )
        for name, values in (("user_numeric", space.user_numeric), ("item_numeric", space.item_numeric))
    }


def file_sizes(folder: Path, names: Iterable[str]) -> dg.MetadataValue[Any]:
    """Files with their sizes in bytes."""
    return dg.MetadataValue.json({name: (folder / name).stat().st_size for name in names})
