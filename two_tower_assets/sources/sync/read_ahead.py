"""Pages asked for in a thread while others are worked on."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from two_tower_assets.sources.sync.source import Page

_PAGES: Final = 4
"""Asked for beforehand: the next pages come while the database is at a commit."""


def read_ahead(pages: Iterator[Page]) -> Iterator[Page]:
    """Yield the same pages, some of them fetched already; an error comes in its page's place."""
    with ThreadPoolExecutor(1) as thread:
        coming = deque(thread.submit(next, pages, None) for _ in range(_PAGES))
        try:
            while (page := coming.popleft().result()) is not None:
                coming.append(thread.submit(next, pages, None))
                yield page
        finally:
            # Whoever stops early does not wait for pages that nobody takes.
            thread.shutdown(wait=False, cancel_futures=True)
