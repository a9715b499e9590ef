"""Reading a project over its REST API: pages by key, hashes by `get_sync_ranges` where it is installed, else counts.

Pages are asked for without the client library, which would parse every row: here only the last key is read, and
Postgres parses the rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, Self

import httpx
from postgrest import APIError, CountMethod, SyncPostgrestClient

from two_tower_assets.rest.asking import REST_PATH, TIMEOUT, Asking, raise_if_passing
from two_tower_assets.rest.refusals import MISSING_FUNCTION, MISSING_TABLE, STATEMENT_TIMEOUT, Again
from two_tower_assets.sources.sync.identity import refuse_same
from two_tower_assets.sources.sync.ranges import Range, Sums, by_place
from two_tower_assets.sources.sync.rest_pages import api_error, as_page, filters_of
from two_tower_assets.sources.sync.source import FAN_OUT, Key, Page
from two_tower_assets.sources.sync.tables import SyncTable
from two_tower_assets.steps import Reached, unheard

PAGE: Final = 1000
"""Rows asked for at once; a server that gives fewer is asked on until a page is empty."""
HASHES: Final = "get_sync_ranges"

_LIMITS: Final = (
    f"the source lacks the function {HASHES}, so only counts were compared: rows changed in place, and a deletion "
    "beside an equally late arrival, are not seen. Install it with `two-tower migrate --url` or `supabase db push`."
)


class RestSource:
    """One project. Also a context manager that closes its connections.

    Args:
        url: of the project, without a slash at its end.
        key: of the service role, or a secret key; never shown.
        reached: told of every request that has to be repeated.
    """

    way = "REST API"
    root = REST_PATH

    def __init__(self, url: str, key: str, *, reached: Reached = unheard) -> None:
        self.label = url
        self._ask = Asking(url, reached=reached)
        self._root = f"{url}{self.root}"
        headers = {"apikey": key, "Authorization": f"Bearer {key}"}
        self._http = httpx.Client(timeout=TIMEOUT, headers=headers, event_hooks={"response": [raise_if_passing]})
        self._client = SyncPostgrestClient(self._root, headers=headers, http_client=self._http, retry_enabled=False)
        self._has_hashes = True

    def __repr__(self) -> str:
        return f"RestSource({self.label!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def limits(self) -> str | None:
        """See `Source`; known after the first sums."""
        return None if self._has_hashes else _LIMITS

    @property
    def fan_out(self) -> int:
        """See `Source`: without hashes every range is a request."""
        return FAN_OUT if self._has_hashes else 16

    def columns(self, table: SyncTable) -> tuple[str, ...] | None:
        """See `Source`."""

        def ask() -> tuple[str, ...] | None:
            try:
                rows: Any = self._client.from_(table.name).select("*").limit(1).execute().data
            except APIError as error:
                if error.code in MISSING_TABLE:
                    return None
                raise
            return tuple(rows[0]) if rows else ()

        return self._ask(ask)

    def count(self, table: SyncTable, within: Range) -> int:
        """See `Source`."""

        def ask() -> int | None:
            query: Any = self._client.from_(table.name).select(table.key[0], count=CountMethod.exact, head=True)
            query = query.gte(table.key[0], str(within.lower))
            bounded = query if within.upper is None else query.lt(table.key[0], str(within.upper))
            counted: int | None = bounded.execute().count
            return counted

        return self._ask(ask) or 0

    def sums(self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range]) -> list[Sums]:
        """See `Source`; a call that takes longer than the project allows is made in halves."""
        if self._has_hashes:
            answer = self._ask(lambda: self._hashes(table, columns, ranges))
            if answer == STATEMENT_TIMEOUT and len(ranges) > 1:
                middle = len(ranges) // 2
                return self.sums(table, columns, ranges[:middle]) + self.sums(table, columns, ranges[middle:])
            if isinstance(answer, dict):
                return by_place({place: Sums(rows, digest) for place, rows, digest in answer["ranges"]}, len(ranges))
        return [Sums(self.count(table, each)) for each in ranges]

    def pages(self, table: SyncTable, columns: Sequence[str], within: Range, after: Key | None) -> Iterator[Page]:
        """See `Source`; the next page is fetched while this one is worked on."""
        with ThreadPoolExecutor(1) as ahead:
            page = ahead.submit(self._page, table, columns, within, after).result()
            while page.rows and not page.is_last:
                following = ahead.submit(self._page, table, columns, within, page.last)
                yield page
                page = following.result()
            if page.rows:
                yield page

    def require_other_database(self, identity: str) -> None:
        """See `Source`; told by the function for hashes, where there is one."""
        answer = self._ask(lambda: self._hashes(_ANY, _ANY.key, [Range(upper=Range().lower)]))
        if isinstance(answer, dict):
            refuse_same(answer["database"], identity, self.label)

    def _hashes(self, table: SyncTable, columns: Sequence[str], ranges: Sequence[Range]) -> Any:
        """Ask for counts and hashes; returns a code where the function is missing or takes too long."""
        arguments: Any = {
            "p_table": table.name,
            "p_key": list(table.key),
            "p_columns": list(columns),
            "p_bounds": [str(each.lower) for each in ranges],
            "p_before": None if ranges[-1].upper is None else str(ranges[-1].upper),
        }
        try:
            return self._client.rpc(HASHES, arguments).execute().data
        except Again as error:
            if error.code == STATEMENT_TIMEOUT:
                return STATEMENT_TIMEOUT
            raise
        except APIError as error:
            if error.code in MISSING_FUNCTION:
                self._has_hashes = False
                return error.code
            raise

    def _page(self, table: SyncTable, columns: Sequence[str], within: Range, after: Key | None) -> Page:
        # Most of the ranges that differ fit a page; counting saves them the empty page that would prove it.
        counted = after is None and within.upper is not None
        return self._ask(lambda: self._fetch(table, columns, filters_of(table, within, after), counted=counted))

    def _fetch(
        self, table: SyncTable, columns: Sequence[str], filters: list[tuple[str, str]], *, counted: bool
    ) -> Page:
        answer = self._http.get(
            f"{self._root}/{table.name}",
            headers={"Prefer": "count=exact"} if counted else {},
            params=[("select", ",".join(columns)), *filters, ("order", ",".join(table.key)), ("limit", str(PAGE))],
        )
        if not answer.is_success:
            raise api_error(answer)
        return as_page(answer, table)


_ANY: Final = SyncTable("videos", ("id",), {"id": "uuid"})
