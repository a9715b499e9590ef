"""A page of rows as PostgREST is asked for it and as it answers; sending the request is `rest_source`'s."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

import httpx
from postgrest import APIError

from two_tower_assets.errors import RestError
from two_tower_assets.sources.sync.ranges import Range
from two_tower_assets.sources.sync.source import Key, Page
from two_tower_assets.sources.sync.tables import SyncTable

_RANGES_A_REQUEST: Final = 15
"""Ranges that were divided to the end have some tens of rows, so that one page takes them; the address has 2 kB."""


def in_requests(ranges: Sequence[Range]) -> Iterator[Sequence[Range]]:
    """Cut ranges into as many as one request may ask for."""
    return (ranges[begin : begin + _RANGES_A_REQUEST] for begin in range(0, len(ranges), _RANGES_A_REQUEST))


def filters_of(table: SyncTable, ranges: Sequence[Range], after: Key | None) -> list[tuple[str, str]]:
    """Build the conditions of ranges after a key. The first column is always bounded, so that an index is walked."""
    first, lower, upper, since = table.key[0], ranges[0].lower, ranges[-1].upper, ranges[0].since
    filters = [] if upper is None else [(first, f"lt.{upper}")]
    if len(ranges) > 1:
        filters.append(("or", f"({','.join(_within(first, each) for each in ranges)})"))
    if since is not None:
        filters.append((str(table.watermark), f"gte.{since.isoformat()}"))
    if after is None:
        return [*filters, (first, f"gte.{lower}")]
    if len(after) == 1:
        return [*filters, (first, f"gt.{after[0]}")]
    return [*filters, (first, f"gte.{after[0]}"), ("or", f"({first}.gt.{after[0]},{table.key[1]}.gt.{after[1]})")]


def _within(column: str, each: Range) -> str:
    lower = f"{column}.gte.{each.lower}"
    return lower if each.upper is None else f"and({lower},{column}.lt.{each.upper})"


def as_page(answer: httpx.Response, table: SyncTable) -> Page:
    """Read the number of rows and the last key; an object's begin cannot stand in a text, where quotes are escaped.

    Raises:
        RestError: something else than PostgREST answered.
    """
    body = answer.content.rstrip()
    if body == b"[]":
        return Page(0, (), body, "json")
    begin = body.rfind(f'{{"{table.key[0]}":'.encode())
    span, _, total = answer.headers.get("content-range", "").partition("/")
    extent = span.split("-")
    if begin < 0 or not body.endswith(b"]") or len(extent) != 2:
        raise RestError(
            f"The answer about {table.name} is not what PostgREST answers",
            where=str(answer.url.copy_with(query=None)),
            remedy="Check SUPABASE_URL: something else may answer there, such as a network's sign-in page.",
        )
    last = json.loads(body[begin:-1])
    rows = int(extent[1]) - int(extent[0]) + 1
    return Page(rows, tuple(str(last[column]) for column in table.key), body, "json", total == str(rows))


def api_error(answer: httpx.Response) -> APIError:
    """Read a refusal as the client library does."""
    try:
        body = answer.json()
    except ValueError:
        body = None
    told = body if isinstance(body, dict) else {}
    return APIError({"message": answer.reason_phrase, "code": str(answer.status_code), **told})
