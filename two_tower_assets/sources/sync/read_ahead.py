"""Pages asked for in threads while others are worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Final

from two_tower_assets.sources.sync.source import Page

_PAGES: Final = 4
"""Asked for beforehand of a walk: the next pages come while the database is at a commit."""
_WALKS: Final = 2
"""Under way at the same time: one answer is made while another is sent."""


def read_ahead(walks: Iterator[Iterator[Page]]) -> Iterator[Page]:
    """Yield the pages of one walk after the other, some fetched already; an error comes in its page's place."""
    begun = deque(map(_Begun, islice(walks, _WALKS)))
    try:
        while begun:
            yield from begun[0].pages()
            begun.popleft().end()
            begun.extend(map(_Begun, islice(walks, 1)))
    finally:
        for walk in begun:
            walk.end()


class _Begun:
    """A walk on its way: in one thread, since the next page is asked for after the last one's key."""

    def __init__(self, walk: Iterator[Page]) -> None:
        self._walk = walk
        self._thread = ThreadPoolExecutor(1)
        self._coming = deque(self._thread.submit(next, walk, None) for _ in range(_PAGES))

    def pages(self) -> Iterator[Page]:
        while (page := self._coming.popleft().result()) is not None:
            self._coming.append(self._thread.submit(next, self._walk, None))
            yield page

    def end(self) -> None:
        """Ask for nothing more: whoever stops early does not wait for pages that nobody takes."""
        self._thread.shutdown(cancel_futures=True)
