"""What a project's REST API answers when it does not do what it was asked, as errors for people.

Error bodies may repeat rows and are never shown whole: only their code and message are.
"""

from __future__ import annotations

import json
from typing import Final, Self

import httpx
from postgrest import APIError

from two_tower_assets.errors import RestError, RestUnreachableError

# PostgREST's own codes differ between versions, so each situation lists them all.
_WRONG_KEY: Final = frozenset({"42501", "PGRST301", "PGRST302", "PGRST303", "401", "403"})
_NOT_MIGRATED: Final = frozenset({"PGRST202", "PGRST204", "PGRST205", "42P01", "42703", "42883", "42P10", "404"})
STATEMENT_TIMEOUT: Final = "57014"
MISSING_TABLE: Final = frozenset({"PGRST205", "42P01"})
MISSING_FUNCTION: Final = frozenset({"PGRST202", "42883"})


class Again(Exception):  # noqa: N818 - an answer that asks for another attempt
    """An answer with status 429 or 5xx."""

    def __init__(self, told: str, *, code: str | None, wait: float | None) -> None:
        super().__init__(told)
        self.code = code
        self.wait = wait
        """Seconds that the server asked to wait."""

    @classmethod
    def of(cls, response: httpx.Response) -> Self:
        """Read status, code and message from an answer whose body has been read."""
        code, message = _body(response)
        told = f"HTTP {response.status_code}{f' {message}' if message else ''}{f' ({code})' if code else ''}"
        return cls(told, code=code, wait=_seconds(response.headers.get("retry-after")))


def refused(error: APIError, where: str) -> RestError:
    """Turn a refusal that another attempt would get again into an error with its remedy."""
    code, told = error.code or "", f"{error.message} ({error.code})"
    if code in _WRONG_KEY:
        return RestError(
            f"The project refuses the key: {told}",
            where=where,
            remedy="Set SUPABASE_SERVICE_ROLE_KEY to the service role's key (or a secret key) of this project.",
        )
    if code in _NOT_MIGRATED:
        return RestError(
            f"The project lacks tables or functions of this version: {told}",
            where=where,
            remedy="Bring it up to date: `two-tower migrate` with its Postgres URL, or `supabase db push`.",
        )
    return RestError(f"The project refuses: {told}", where=where, remedy="Mend what it names, then run again.")


def unreachable(error: Again | httpx.TransportError, *, where: str, attempts: int) -> RestUnreachableError:
    """Say what kept failing until the attempts were used up."""
    told = str(error) or type(error).__name__
    remedy = "Check the URL, the network and the project's state, then run again: what is there already is kept."
    if isinstance(error, Again) and error.code == STATEMENT_TIMEOUT:
        remedy = (
            "Ask for fewer rows at once (--batch, or [features] payload_page): one statement takes longer than the "
            "project allows."
        )
    return RestUnreachableError(f"No success in {attempts} attempts: {told}", where=where, remedy=remedy)


def _body(response: httpx.Response) -> tuple[str | None, str | None]:
    try:
        body = json.loads(response.content)
    except ValueError:
        return None, response.reason_phrase
    if not isinstance(body, dict):
        return None, response.reason_phrase
    return body.get("code"), body.get("message") or response.reason_phrase


def _seconds(header: str | None) -> float | None:
    """Read `Retry-After` when it is a number of seconds; a date is left to our own pauses."""
    return float(header) if header is not None and header.strip().isdigit() else None
