"""Posting JSON to a webhook whose address is a secret: no error and no log says it."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any, Final

import httpx
import stamina

from two_tower_assets.defs.automation.failure_notice import Notice
from two_tower_assets.errors import NotificationError

_SECONDS: Final = 10.0
_ATTEMPTS: Final = 4
_REMEDY: Final = "Check TWO_TOWER_FAILURE_WEBHOOK and what answers there."


class _NotNow(Exception):  # noqa: N818 - no error yet
    """The other side is out of reach or busy."""


def post(url: str, notice: Notice) -> None:
    """Post a notice; a side that is out of reach or busy is asked again, four times in all.

    Raises:
        NotificationError: it was not taken; the text never holds the address.
    """
    body = {"text": notice.text, **asdict(notice)}
    try:
        for attempt in stamina.retry_context(on=_NotNow, attempts=_ATTEMPTS, wait_initial=0.5, wait_max=5.0):
            with attempt:
                _post(url, body)
    except _NotNow as error:
        raise NotificationError(
            f"Nobody could be told of run {notice.run_id}: {error}", where="webhook", remedy=_REMEDY
        ) from None


def _post(url: str, body: Mapping[str, Any]) -> None:
    try:
        with _unsaid(url):
            status = httpx.post(url, json=body, timeout=_SECONDS).status_code
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise _NotNow(type(error).__name__) from None
    if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise _NotNow(f"it answers with {status}")
    if not httpx.codes.is_success(status):
        raise NotificationError(f"The webhook refuses with {status}", where="webhook", remedy=_REMEDY)


@contextmanager
def _unsaid(url: str) -> Iterator[None]:
    """Keep the library from logging the address of each request while the block runs."""
    log = logging.getLogger("httpx")

    def keeps_secret(record: logging.LogRecord) -> bool:
        return url not in record.getMessage()

    log.addFilter(keeps_secret)
    try:
        yield
    finally:
        log.removeFilter(keeps_secret)
