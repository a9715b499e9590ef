"""Feature payloads over REST, for those who have no Postgres URL: the same functions, the same text, byte for byte.

Rows are asked for by key until a page is empty, since a server may cut any page. There is no transaction around the
pages, so completeness is proven by counts from before and after them: as many videos as the table has, and users
whose decisions are together as many as the table has. What does not live here: repeating requests (`rest.client`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from postgrest import CountMethod

from two_tower_assets.contract import MAX_PAGE, Tables
from two_tower_assets.errors import FeatureError, RestError
from two_tower_assets.features.payload_file import Row, write_payloads
from two_tower_assets.features.payloads import ITEMS_FILE, USERS_FILE
from two_tower_assets.progress import Progress, silent
from two_tower_assets.rest.client import RestClient

_DECISION_COUNT: Final = re.compile(r'"decision_count": *(\d+)')
_ATTEMPTS: Final = 3
"""How often everything is read while rows change meanwhile."""


def read_user_payloads(
    project: RestClient, into: Path, *, as_of: datetime, page: int = MAX_PAGE, progress: Progress = silent
) -> int:
    """Write the payloads of all users with a decision before `as_of` to `into / USERS_FILE`; return their number.

    `progress` counts decisions.

    Raises:
        RestError: the project cannot be asked.
        FeatureError: the pages do not hold all decisions of the table, or these keep changing.
    """
    moment = as_of.isoformat()
    pages = _Pages(project, "get_user_embedding_feature_batch", "user_id", page, {"as_of": moment})

    def decisions() -> int:
        rows = project.api.from_(Tables.DECISIONS).select("user_id", count=CountMethod.exact, head=True)
        return _number(project, rows.lt("created_at", moment))

    return _read(pages, into / USERS_FILE, decisions, _decisions, progress)


def read_item_payloads(project: RestClient, into: Path, *, page: int = MAX_PAGE, progress: Progress = silent) -> int:
    """Write the payloads of all videos, inactive ones included, to `into / ITEMS_FILE`; return their number.

    Raises:
        RestError: the project cannot be asked.
        FeatureError: the pages do not hold as many videos as the table, or these keep changing.
    """
    pages = _Pages(project, "get_item_embedding_feature_batch", "video_id", page, {"p_include_inactive": True})

    def videos() -> int:
        rows = project.api.from_(Tables.VIDEOS).select("id", count=CountMethod.exact, head=True)
        return _number(project, rows)

    return _read(pages, into / ITEMS_FILE, videos, lambda _: 1, progress)


@dataclass(frozen=True)
class _Pages:
    """All pages of a batch function."""

    project: RestClient
    function: str
    key: str
    """The column that orders the rows."""
    size: int
    parameters: Mapping[str, Any]

    def __iter__(self) -> Iterator[list[Row]]:
        after, size = None, self.size
        while rows := self._page(after, size):
            yield rows
            # A server that cuts pages need not compute what it would cut away.
            after, size = rows[-1][0], len(rows)

    def _page(self, after: str | None, size: int) -> list[Row]:
        asked = {**self.parameters, "p_limit": size, "p_after": after}

        def request() -> Any:
            # As text, a payload arrives as Postgres writes it, whatever a JSON reader makes of its numbers.
            rows = self.project.api.rpc(self.function, asked).select(self.key, "payload::text")
            return rows.order(self.key).execute().data

        return [(row[self.key], row["payload"]) for row in self.project.ask(request)]


def _read(
    pages: _Pages, path: Path, total: Callable[[], int], weight: Callable[[str], int], progress: Progress
) -> int:
    """Write all pages until the weights of their payloads add up to a total that stands still meanwhile."""
    before = total()
    for _ in range(_ATTEMPTS):
        weighed = _Weighed(pages, weight, before, progress)
        rows = write_payloads(path, weighed, page=pages.size)
        after = total()
        if weighed.done == before == after:
            return rows
        if before == after:
            raise FeatureError(
                f"The pages of {pages.function} hold {weighed.done} of {after} rows of the table",
                where=pages.project.url,
                remedy="Run `two-tower migrate`, which installs the functions anew, and read again.",
            )
        before = after
    raise FeatureError(
        f"Rows changed each of the {_ATTEMPTS} times that {pages.function} was read",
        where=pages.project.url,
        remedy="Read again at a quieter time, or give a Postgres URL, which reads one state of all rows.",
    )


@dataclass
class _Weighed:
    """Pages, with the sum of their rows' weights so far."""

    pages: _Pages
    weight: Callable[[str], int]
    total: int
    progress: Progress
    done: int = 0

    def __iter__(self) -> Iterator[list[Row]]:
        for rows in self.pages:
            self.done += sum(self.weight(payload) for _, payload in rows)
            self.progress(self.done, self.total)
            yield rows


def _decisions(payload: str) -> int:
    """Read one number without parsing all of it; within a name, quotation marks would be escaped."""
    match = _DECISION_COUNT.search(payload)
    assert match is not None, "a user payload has a decision count"
    return int(match[1])


def _number(project: RestClient, rows: Any) -> int:
    """Return how many rows there are, as the server counts them."""
    count = project.ask(lambda: rows.execute().count)
    if count is None:
        raise RestError(
            "The project does not count rows", where=project.url, remedy="Let its gateway pass `content-range`."
        )
    return int(count)
