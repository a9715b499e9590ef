"""Values as the Dagster UI shows them: table schemas, pictures, counts by reason."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import dagster as dg
import polars as pl


def table_schema(schema: pl.Schema) -> dg.TableSchema:
    """Columns and types of a parquet file."""
    return dg.TableSchema([dg.TableColumn(name, str(kind)) for name, kind in schema.items()])


def picture(png: bytes) -> dg.MetadataValue[Any]:
    """A PNG inside the metadata; keep it under 100 KB, it is stored in the event log."""
    return dg.MetadataValue.md(f"![](data:image/png;base64,{base64.b64encode(png).decode()})")


def counts(by_reason: Mapping[str, Any]) -> dg.MetadataValue[Any]:
    """Numbers of rows by table or reason."""
    return dg.MetadataValue.json(dict(by_reason))


def bullet_list(items: Mapping[str, object]) -> dg.MetadataValue[Any]:
    """Names and values, one a line."""
    return dg.MetadataValue.md("\n".join(f"- **{name}**: {value}" for name, value in items.items()))
