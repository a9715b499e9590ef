"""Reading a project over its REST API: pages by key, hashes by `get_sync_ranges` where it is installed, else counts.

Pages are asked for without the client library, which would parse every row: here only the last key is read, and
Postgres parses the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, repeat
from typing import Any, Final

import httpx
from postgrest import APIError, CountMethod

from two_tower_assets.rest.client import PAGE, RestClient
from two_tower_assets.rest.refusals import MISSING_FUNCTION, MISSING_TABLE, STATEMENT_TIMEOUT, Again
from two_tower_assets.sources.sync.identity import refuse_same
from two_tower_assets.sources.sync.ranges import Range, Sums, are_adjacent, by_place
from two_tower_assets.sources.sync.read_ahead import read_ahead
from two_tower_assets.sources.sync.rest_csv import as_csv_page, csv_select
from two_tower_assets.sources.sync.rest_pages import api_error, as_page, filters_of, in_requests
from two_tower_assets.sources.sync.source import FAN_OUT, FINEST, Key, Page
from two_tower_assets.sources.sync.tables import SyncTable
from two_tower_assets.steps import Reached, unheard

HASHES: Final = "get_sync_ranges"

_LIMITS: Final = (
    f"the source lacks the function {HASHES}, so only counts were compared: rows changed in place, and a deletion "
    "beside an equally late arrival, are not seen. Install it with `two-tower migrate --url` or `supabase db push`."
)


class RestSource(RestClient):
    """One project, as a source of rows; built and closed as a `RestClient` is."""

    way = "REST API"

    def __init__(self, url: str, key: str, *, reached: Reached = unheard) -> None:
        super().__init__(url, key, reached=reached)
        self.label = url
        self.has_hashes = True
        """See `Source`; known after the first sums."""
        self._only_json: set[str] = set()

    @property
    def limits(self) -> str | None:
        """See `Source`; known after the first sums."""
        return None if self.has_hashes else _LIMITS

    @property
    def fan_out(self) -> int:
        """See `Source`: without hashes every range is a request."""
        return FAN_OUT if self.has_hashes else 16

    @property
    def finest(self) -> int:
        """See `Source`."""
        return FINEST if self.has_hashes else 2000

    def columns(self, table: SyncTable) -> tuple[str, ...] | None:
        """See `Source`."""

        def ask() -> tuple[str, ...] | None:
            try:
                rows: Any = self.api.from_(table.name).select("*").limit(1).execute().data
            except APIError as error:
                if error.code in MISSING_TABLE:
                    return None
                raise
            return tuple(rows[0]) if rows else ()

        return self.ask(ask)

    def count(self, table: SyncTable, within: Range) -> int:
        """See `Source`."""

        def ask() -> int | None:
            query: Any = self.api.from_(table.name).select(table.key[0], count=CountMethod.exact, head=True)
            query = query.gte(table.key[0], str(within.lower))
            bounded = query if within.upper is None else query.lt(table.key[0], str(within.upper))
            counted: int | None = bounded.execute().count
            return counted

        return self.ask(ask) or 0

    def has_rows(self, table: SyncTable) -> bool:
        """See `Source`: only what can be seen tells its columns."""
        return bool(self.columns(table))

    def sums(self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range]) -> list[Sums]:
        """See `Source`; a call that takes longer than the project allows is made in halves."""
        if self.has_hashes:
            answer = self.ask(lambda: self._hashes(table, columns, ranges))
            if answer == STATEMENT_TIMEOUT and len(ranges) > 1:
                middle = len(ranges) // 2
                return self.sums(table, columns, ranges[:middle]) + self.sums(table, columns, ranges[middle:])
            if isinstance(answer, dict):
                return by_place({place: Sums(rows, digest) for place, rows, digest in answer["ranges"]}, len(ranges))
        return [Sums(self.count(table, each)) for each in ranges]

    def pages(
        self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range], after: Key | None
    ) -> Iterator[Page]:
        """See `Source`; pages are fetched ahead while one is worked on."""
        begins = zip(in_requests(ranges), chain([after], repeat(None)), strict=False)
        return read_ahead(self._walk(table, columns, *begin) for begin in begins)

    def _walk(
        self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range], after: Key | None
    ) -> Iterator[Page]:
        """Yield the pages of ranges that fit one request."""
        page = self._page(table, columns, ranges, after)
        while page.rows:
            yield page
            if page.is_last:
                return
            page = self._page(table, columns, ranges, page.last)

    def require_other_database(self, identity: str) -> None:
        """See `Source`; told by the function for hashes, where there is one."""
        answer = self.ask(lambda: self._hashes(_ANY, _ANY.key, [Range(upper=Range().lower)]))
        if isinstance(answer, dict):
            refuse_same(answer["database"], identity, self.label)

    def _hashes(self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range]) -> Any:
        """Ask for counts and hashes; returns a code where the function is missing or takes too long."""
        arguments: Any = {
            "p_table": table.name,
            "p_key": list(table.key),
            "p_columns": list(columns),
            "p_bounds": [str(each.lower) for each in ranges],
        }
        uppers = [None if each.upper is None else str(each.upper) for each in ranges]
        arguments |= {"p_before": uppers[-1]} if are_adjacent(ranges) else {"p_uppers": uppers}
        try:
            return self.api.rpc(HASHES, arguments).execute().data
        except Again as error:
            if error.code == STATEMENT_TIMEOUT:
                return STATEMENT_TIMEOUT
            raise
        except APIError as error:
            if error.code in MISSING_FUNCTION:
                self.has_hashes = False
                return error.code
            raise

    def _page(self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range], after: Key | None) -> Page:
        # Most of the ranges that differ fit a page; counting saves them the empty page that would prove it.
        counted = after is None and ranges[-1].upper is not None
        return self.ask(lambda: self._fetch(table, columns, filters_of(table, ranges, after), counted=counted))

    def _fetch(
        self, table: SyncTable, columns: Sequence[str], filters: list[tuple[str, str]], *, counted: bool
    ) -> Page:
        get = partial(self._get, table, filters, {"Prefer": "count=exact"} if counted else {})
        select = csv_select(table, columns)
        if select is not None and table.name not in self._only_json:
            page = as_csv_page(get(select, accept="text/csv"), table, columns)
            if page is not None:
                return page
            self._only_json.add(table.name)
        return as_page(get(",".join(columns), accept="application/json"), table)

    def _get(
        self, table: SyncTable, filters: list[tuple[str, str]], headers: dict[str, str], select: str, *, accept: str
    ) -> httpx.Response:
        answer = self.http.get(
            self.at(f"/{table.name}"),
            headers={**headers, "Accept": accept},
            params=[("select", select), *filters, ("order", ",".join(table.key)), ("limit", str(PAGE))],
        )
        if not answer.is_success:
            raise api_error(answer)
        return answer


_ANY: Final = SyncTable("videos", ("id",), {"id": "uuid"})
