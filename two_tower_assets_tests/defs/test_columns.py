from __future__ import annotations

from collections.abc import Mapping

import dagster as dg
import polars as pl
import psycopg
import pytest

from two_tower_assets.contract import VIDEO_SEGMENTS
from two_tower_assets.defs import columns
from two_tower_assets.features.raw import RAW_ITEMS, RAW_USERS
from two_tower_assets.sources.snapshot import PROFILES, VIDEOS


@pytest.mark.parametrize(
    ("schema", "meanings"),
    [
        (PROFILES, columns.PROFILES),
        (VIDEOS, columns.VIDEOS),
        ({**RAW_USERS, **RAW_ITEMS, **dict.fromkeys(VIDEO_SEGMENTS.values(), pl.String())}, columns.RAW_FEATURES),
    ],
)
def test_every_column_has_a_meaning(schema: Mapping[str, pl.DataType], meanings: Mapping[str, str]) -> None:
    """What assets write is described, column by column."""
    shown = columns.table_schema(schema, meanings)
    assert [column.name for column in shown.columns] == list(schema)
    assert all(column.description for column in shown.columns)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (pl.String(), "String"),
        (pl.Datetime("us", "UTC"), "Datetime (UTC)"),
        (pl.List(pl.String()), "List of String"),
        (pl.Array(pl.Float32(), 256), "Array of 256 Float32"),
    ],
)
def test_types_are_named_in_words(kind: pl.DataType, name: str) -> None:
    (column,) = columns.table_schema({"any": kind}, {}).columns
    assert column.type == name


@pytest.mark.parametrize(
    ("table", "shown"), [("video_embeddings", columns.STORED_VIDEOS), ("user_embeddings", columns.STORED_USERS)]
)
def test_stored_vectors_are_described_as_they_are_stored(database: str, table: str, shown: dg.TableSchema) -> None:
    """The columns in the UI are those of the view over the live version's table."""
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "select attname, format_type(atttypid, atttypmod) from pg_attribute"
            " where attrelid = ('public.' || %s)::regclass and attnum > 0 and not attisdropped",
            (table,),
        ).fetchall()
    kinds = {name: kind.replace("timestamp with time zone", "timestamptz") for name, kind in found}
    assert {column.name: column.type for column in shown.columns} == kinds
