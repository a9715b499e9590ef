"""One column of any file, turned into the type the contract gives it, or refused with the row that cannot be.

Text is read where people export text: numbers, truth values, ids in any case, times (without a zone: UTC), lists as
JSON or as Postgres writes arrays. What does not live here: which columns a table has and what is left out (`tables`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from two_tower_assets.errors import SourceDataError

UTC_TIME: Final = pl.Datetime("us", "UTC")
TEXTS: Final = pl.List(pl.String)

_TIME_TEXT: Final = (
    r"^\s*(\d{4}-\d{2}-\d{2})(?:[Tt ](\d{2}:\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?"
    r"\s*([Zz]|UTC|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?\s*$"
)
_UUID_TEXT: Final = r"^\{?[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\}?$"
_TRUE: Final = ("true", "t", "yes", "y", "on", "1")
_FALSE: Final = ("false", "f", "no", "n", "off", "0")
_ARRAY_ITEM: Final = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|([^,"{}]*))\s*(,|$)', re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A column where it stands, for messages."""

    table: str
    name: str
    file: str | None = None
    rows_before: int = 0
    """Rows of the table before those that are looked at."""

    @property
    def where(self) -> str:
        """Table, column and file in one text."""
        return f"{self.table}.{self.name}" + (f" in {self.file}" if self.file else "")

    def refuse(self, series: pl.Series, converted: pl.Series, wanted: str) -> None:
        """Raise over the first value that was there before a conversion and is not there after it.

        Raises:
            SourceDataError: there is such a value.
        """
        lost = (series.is_not_null() & converted.is_null()).arg_max()
        if lost is not None and series.is_not_null()[lost] and converted.is_null()[lost]:
            raise self.error(f"Row {self.rows_before + lost + 1} holds {series[lost]!r}, which is not {wanted}")

    def error(self, what: str) -> SourceDataError:
        """Make the error of this column."""
        return SourceDataError(what, where=self.where, remedy="Correct the value in the source, or leave it empty.")


def as_uuid(series: pl.Series, column: Column) -> pl.Series:
    """Lower-case UUID text with hyphens, from text in any spelling Postgres takes or from 16 raw bytes."""
    if series.dtype == pl.Binary:
        series = series.bin.encode("hex")
    text = _text(series).str.strip_chars().str.to_lowercase()
    text = text.set(text == "", None)
    good = text.str.contains(_UUID_TEXT)
    column.refuse(text, pl.select(pl.when(good).then(text)).to_series(), "a UUID")
    if text.str.len_bytes().min() == text.str.len_bytes().max() == 36:
        return text
    return hyphenated(text.str.replace_all(r"[{}-]", ""))


def hyphenated(digits: pl.Series) -> pl.Series:
    """Put the four hyphens into 32 hex digits."""
    parts = [digits.str.slice(offset, length) for offset, length in ((0, 8), (8, 4), (12, 4), (16, 4), (20, 12))]
    return pl.select(pl.concat_str([pl.lit(part) for part in parts], separator="-")).to_series()


def as_text(series: pl.Series, column: Column) -> pl.Series:
    """Text without NUL characters, which Postgres cannot store."""
    if series.dtype.is_nested():
        raise column.error(f"The column is of type {series.dtype}, which is not text")
    return _without_nul(_text(series))


def as_number(series: pl.Series, column: Column) -> pl.Series:
    """float64; text is parsed, an empty text is null."""
    return _converted(series, pl.Float64(), column, "a number")


def as_whole_number(series: pl.Series, column: Column) -> pl.Series:
    """int32, rounded from fractions; what is not finite becomes null."""
    return _whole(series, pl.Int32(), column)


def as_small_number(series: pl.Series, column: Column) -> pl.Series:
    """int16, rounded from fractions; what is not finite becomes null."""
    return _whole(series, pl.Int16(), column)


def _whole(series: pl.Series, kind: pl.DataType, column: Column) -> pl.Series:
    number = as_number(series, column)
    rounded = number.set(~number.is_finite(), None).round(0, mode="half_away_from_zero")
    whole = rounded.cast(kind, strict=False)
    column.refuse(rounded, whole, f"a whole number within {kind}")
    return whole


def as_truth(series: pl.Series, column: Column) -> pl.Series:
    """Boolean from a boolean, 0 and 1, or the words Postgres takes."""
    if series.dtype == pl.Boolean:
        return series
    text = _blank_to_null(_text(series).str.strip_chars().str.to_lowercase().str.strip_suffix(".0"))
    truth = pl.select(
        pl.when(text.is_in(_TRUE)).then(pl.lit(True)).when(text.is_in(_FALSE)).then(pl.lit(False))
    ).to_series()
    column.refuse(series, truth.set(text.is_null(), False), "true or false")
    return truth.set(text.is_null(), None)


def as_time(series: pl.Series, column: Column) -> pl.Series:
    """Timestamps in UTC with microseconds, from timestamps, dates or ISO 8601 text; no zone means UTC."""
    if isinstance(series.dtype, pl.Datetime):
        zoned = series if series.dtype.time_zone else series.dt.replace_time_zone("UTC")
        return zoned.dt.convert_time_zone("UTC").dt.cast_time_unit("us")
    if series.dtype == pl.Date:
        return series.cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if series.dtype == pl.Null:
        return series.cast(UTC_TIME)
    if series.dtype != pl.String:
        raise column.error(f"The column is of type {series.dtype}; write times as ISO 8601 text or timestamps")
    text = _blank_to_null(series)
    parsed = _parse_times(text)
    column.refuse(text, parsed, "an ISO 8601 time")
    return parsed


def as_texts(series: pl.Series, column: Column) -> pl.Series:
    """Lists of text without nulls or NUL characters, from lists, JSON or Postgres array text; null stays null."""
    if isinstance(series.dtype, pl.Array):
        series = series.arr.to_list()
    if isinstance(series.dtype, pl.List):
        lists = series.cast(TEXTS)
    elif series.dtype in (pl.String, pl.Null):
        lists = _parse_lists(_blank_to_null(series.cast(pl.String)), column)
    else:
        raise column.error(f"The column is of type {series.dtype}, which is not a list of texts")
    return lists.list.eval(pl.element().drop_nulls().str.replace_all("\x00", "", literal=True))


def as_names(series: pl.Series, column: Column) -> pl.Series:
    """Sorted lists of distinct names without surrounding blanks; null and blank names go, null becomes empty."""
    trimmed = pl.element().str.strip_chars()
    lists = as_texts(series, column).list.eval(trimmed.filter(trimmed != ""))
    return lists.list.unique().list.sort().fill_null(pl.Series([[]], dtype=TEXTS))


def _text(series: pl.Series) -> pl.Series:
    return series if series.dtype == pl.String else series.cast(pl.String)


def _without_nul(series: pl.Series) -> pl.Series:
    return series.str.replace_all("\x00", "", literal=True)


def _blank_to_null(series: pl.Series) -> pl.Series:
    return series.set(series.str.strip_chars() == "", None)


def _converted(series: pl.Series, kind: pl.DataType, column: Column, wanted: str) -> pl.Series:
    if series.dtype == pl.String:
        series = _blank_to_null(series).str.strip_chars()
    elif not (series.dtype.is_numeric() or series.dtype in (pl.Null, pl.Boolean)):
        raise column.error(f"The column is of type {series.dtype}, which is not {wanted}")
    converted = series.cast(kind, strict=False)
    column.refuse(series, converted, wanted)
    return converted


def _parse_times(text: pl.Series) -> pl.Series:
    part = text.str.extract_groups(_TIME_TEXT).struct.unnest()
    day, minute, second, fraction, zone = (part[name] for name in part.columns)
    iso = pl.concat_str(
        pl.lit(day),
        pl.lit("T"),
        pl.lit(minute.fill_null("00:00")),
        pl.lit(":"),
        pl.lit(second.fill_null("00")),
        pl.lit("."),
        pl.lit(fraction.fill_null("0").str.pad_end(6, "0").str.slice(0, 6)),
    )
    local = pl.select(iso).to_series().str.to_datetime("%Y-%m-%dT%H:%M:%S.%6f", time_unit="us", strict=False)
    return (local - _zone_offset(zone)).dt.replace_time_zone("UTC")


def _zone_offset(zone: pl.Series) -> pl.Series:
    digits = zone.str.replace_all("[^0-9]", "").str.pad_end(6, "0").cast(pl.Int64, strict=False).fill_null(0)
    seconds = (digits // 10_000) * 3600 + (digits // 100 % 100) * 60 + digits % 100
    sign = pl.select(pl.when(zone.str.starts_with("-")).then(-1).otherwise(1)).to_series()
    return (seconds * sign * 1_000_000).cast(pl.Duration("us"))


def _parse_lists(text: pl.Series, column: Column) -> pl.Series:
    distinct = text.drop_nulls().unique()
    parsed = [_parse_list(item) for item in distinct]
    table = pl.DataFrame({"text": distinct, "list": pl.Series(parsed, dtype=TEXTS)})
    lists = pl.DataFrame({"text": text}).join(table, on="text", how="left", maintain_order="left")["list"]
    column.refuse(text, lists, "a list: write JSON or a Postgres array")
    return lists


def _parse_list(text: str) -> list[str | None] | None:
    text = text.strip()
    parse: Callable[[str], list[Any] | None] = _parse_array if text.startswith("{") else _parse_json
    values = parse(text)
    return None if values is None else [None if value is None else str(value) for value in values]


def _parse_json(text: str) -> list[Any] | None:
    try:
        values = json.loads(text)
    except json.JSONDecodeError:
        return None
    flat = isinstance(values, list) and not any(isinstance(value, list | dict) for value in values)
    return values if flat else None


def _parse_array(text: str) -> list[str | None] | None:
    """Read a one-dimensional array as `array_out` of PostgreSQL writes it."""
    inner = text[1:-1] if text.endswith("}") else None
    if inner is None or inner.strip() == "":
        return None if inner is None else []
    items: list[str | None] = []
    position = 0
    while True:
        match = _ARRAY_ITEM.match(inner, position)
        if match is None:
            return None
        quoted, bare, end = match.groups()
        if quoted is None and bare.strip() == "":
            return None
        items.append(_array_item(quoted, bare))
        position = match.end()
        if not end:
            return items


def _array_item(quoted: str | None, bare: str) -> str | None:
    if quoted is not None:
        return re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
    bare = bare.strip()
    return None if bare.upper() == "NULL" else bare
