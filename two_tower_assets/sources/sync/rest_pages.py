"""A page of rows as PostgREST is asked for it and as it answers; sending the request is `rest_source`'s."""

from __future__ import annotations

import json

import httpx
from postgrest import APIError

from two_tower_assets.errors import RestError
from two_tower_assets.sources.sync.ranges import Range
from two_tower_assets.sources.sync.source import Key, Page
from two_tower_assets.sources.sync.tables import SyncTable


def filters_of(table: SyncTable, within: Range, after: Key | None) -> list[tuple[str, str]]:
    """Build the conditions of a range after a key. The first column is always bounded, so that an index is walked."""
    first = table.key[0]
    filters = [] if within.upper is None else [(first, f"lt.{within.upper}")]
    if within.since is not None:
        filters.append((str(table.watermark), f"gte.{within.since.isoformat()}"))
    if after is None:
        return [*filters, (first, f"gte.{within.lower}")]
    if len(after) == 1:
        return [*filters, (first, f"gt.{after[0]}")]
    return [*filters, (first, f"gte.{after[0]}"), ("or", f"({first}.gt.{after[0]},{table.key[1]}.gt.{after[1]})")]


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
