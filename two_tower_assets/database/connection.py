"""Opening a Postgres connection, and saying clearly why it could not be opened.

What does not live here: what is asked of the database (`queries`, `migrate` and each stage's own code).
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

import psycopg
from psycopg.rows import TupleRow

from two_tower_assets.errors import DatabaseError, DatabaseUnreachableError

APPLICATION_NAME: Final = "two-tower"
CONNECT_TIMEOUT_SECONDS: Final = 10

_BUSY: Final = ("starting up", "shutting down", "recovery mode", "too many", "remaining connection slots")

_SQLALCHEMY_SCHEME: Final = re.compile(r"^postgres(ql)?(\+\w+)?://")
_PASSWORD_BEFORE_HOST: Final = re.compile(r"^[^:/]+://[^:/@]*:(.*)@", re.DOTALL)
_PASSWORD_PARAMETER: Final = re.compile(r"[?&]password=([^&]*)")


def connect(url: str, *, autocommit: bool = False, **options: Any) -> psycopg.Connection[TupleRow]:
    """Open a connection to the Postgres at `url` (`postgresql://user:password@host:port/database`).

    A driver suffix such as `postgresql+psycopg2://` is accepted and dropped. Statements are never prepared on
    the server unless asked for (`prepare_threshold`), since poolers in transaction mode do not keep them.

    Args:
        url: where the database is.
        autocommit: whether each statement commits by itself.
        options: further libpq parameters (`connect_timeout`, `options`, …) or arguments of `psycopg.connect`.

    Raises:
        DatabaseUnreachableError: nothing answers there, or it is busy for the moment.
        DatabaseError: it refuses; neither text holds the password.
    """
    defaults = {
        "application_name": APPLICATION_NAME,
        "connect_timeout": CONNECT_TIMEOUT_SECONDS,
        "prepare_threshold": None,
    }
    try:
        return psycopg.connect(libpq_url(url), autocommit=autocommit, **{**defaults, **options})
    except psycopg.Error as error:
        kind = DatabaseUnreachableError if _is_passing(str(error)) else DatabaseError
        raise kind(
            f"Cannot connect to Postgres: {_without_password(str(error).strip(), url)}",
            where=without_password(url),
            remedy="Check that the server runs and that host, port, user, password and database are right.",
        ) from None


def _is_passing(text: str) -> bool:
    """Whether nobody answered, or a server that is busy, starting or stopping; else it answered with a refusal."""
    return "FATAL:" not in text or any(word in text for word in _BUSY)


def libpq_url(url: str) -> str:
    """Return `url` without a driver's suffix, as libpq reads it."""
    return _SQLALCHEMY_SCHEME.sub("postgresql://", url)


def without_password(url: str) -> str:
    """Return `url` with its password replaced by `***`, fit for messages and logs; malformed URLs too."""
    return _without_password(url, url)


def _without_password(text: str, url: str) -> str:
    """Blank the password of `url` wherever `text` repeats it, as the driver does for a URL it cannot parse."""
    for password in passwords_in(url):
        text = text.replace(f":{password}@", ":***@").replace(f"={password}", "=***")
        text = text.replace(f'"{password}"', '"***"')
    return text


def passwords_in(url: str) -> set[str]:
    """Return every form in which `url` holds a password, malformed URLs too; empty when it holds none."""
    found = {*_PASSWORD_BEFORE_HOST.findall(url), *_PASSWORD_PARAMETER.findall(url)} - {""}
    return found | {unquote(password) for password in found}
