"""What Supabase Storage says when it refuses, in every shape that its versions use, as errors for people.

Errors come as HTTP 400 whose JSON names the real status (`{"statusCode": "409", "error": "Duplicate", …}`), or,
from other versions, with the real status and a `code` alone; a gateway in front answers in its own words.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import httpx

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.bucket import AlreadyStored, NotStored, Unavailable

_DUPLICATE: Final = {"duplicate", "keyalreadyexists", "resourcealreadyexists", "bucketalreadyexists"}
_NO_KEY: Final = {"nosuchkey", "not_found", "notfound"}
_NO_BUCKET: Final = {"nosuchbucket"}
_TOO_LARGE: Final = {"entitytoolarge", "payload too large"}
_BAD_NAME: Final = {"invalidkey"}
_TIMED_OUT: Final = (httpx.TimeoutException, httpx.NetworkError, httpx.RemoteProtocolError, httpx.ProxyError)


class ServerRefusal(Exception):  # noqa: N818 - an answer, turned into an error for people where the path is known
    """An answer with an error status. Never leaves this package."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.message)
        self.answer = answer


@dataclass(frozen=True)
class Answer:
    """An error answer, read."""

    status: int
    """The status that is meant, whichever way it was sent."""
    words: frozenset[str]
    """`code` and `error`, in lower case; empty when something else than the server answered."""
    message: str
    retry_after: float | None

    @property
    def duplicate(self) -> bool:
        """There is such a file, or such a bucket."""
        return bool(self.words & _DUPLICATE) or (bool(self.words) and self.status == 409)

    @property
    def no_bucket(self) -> bool:
        """The bucket is missing."""
        return bool(self.words & _NO_BUCKET) or (self._not_found and "bucket" in self.message.lower())

    @property
    def no_file(self) -> bool:
        """The file is missing."""
        return not self.no_bucket and (bool(self.words & _NO_KEY) or self._not_found)

    @property
    def passing(self) -> bool:
        """Worth another try a little later."""
        return self.status in {408, 425, 429} or self.status >= 500

    @property
    def _not_found(self) -> bool:
        return bool(self.words) and self.status == 404


def read_answer(response: httpx.Response) -> Answer:
    """Read an error answer of any shape.

    Args:
        response: one whose body was read.
    """
    body = _json_object(response.content)
    words = (str(body[key]).lower() for key in ("code", "error") if body.get(key))
    stated = str(body.get("statusCode", ""))
    return Answer(
        status=int(stated) if stated.isdigit() else response.status_code,
        words=frozenset(words),
        message=str(body.get("message") or response.reason_phrase or "no reason given"),
        retry_after=_seconds(response.headers.get("retry-after", "")),
    )


def for_people(answer: Answer, where: str) -> StorageError:
    """Return the error that says what the answer means and what to do."""
    if answer.duplicate:
        return AlreadyStored(
            "There is a file already, and it is written once and never changed",
            where=where,
            remedy="Publish under a new version.",
        )
    if answer.no_bucket:
        return NotStored("The bucket does not exist", where=where, remedy="Publish a version: that makes it.")
    if answer.no_file:
        return NotStored("The file is not stored", where=where, remedy="Publish its version again.")
    if answer.passing:
        return Unavailable(
            f"Supabase Storage cannot serve now: {answer.status} {answer.message}",
            where=where,
            remedy="Try again later: what was stored already is kept.",
            retry_after=answer.retry_after,
        )
    return StorageError(f"Supabase Storage refuses: {answer.message}", where=where, remedy=_remedy(answer))


def unreachable(error: httpx.HTTPError, where: str) -> StorageError:
    """Return the error for a connection that failed; the error's own text may repeat headers and is left out."""
    kind = type(error).__name__
    if isinstance(error, _TIMED_OUT):
        return Unavailable(
            f"Supabase Storage cannot be reached, or broke off ({kind})",
            where=where,
            remedy="Check SUPABASE_URL and the network, then try again: what was stored already is kept.",
        )
    return StorageError(
        f"Supabase Storage cannot be asked ({kind})", where=where, remedy="Check SUPABASE_URL and the key."
    )


def unreadable(where: str) -> Unavailable:
    """Return the error for an answer that is said to be good and is not what the API promises."""
    return Unavailable(
        "What answers is not Supabase Storage, or its answer was damaged on the way",
        where=where,
        remedy="Check that SUPABASE_URL is the project's URL, then try again.",
    )


def _remedy(answer: Answer) -> str:
    if answer.words & _TOO_LARGE or answer.status == 413:
        return "Raise the file size limit of the bucket and of the project (Storage settings)."
    if answer.words & _BAD_NAME:
        return "Use ASCII letters, digits and -_./ in MODEL_ARTIFACTS_PREFIX."
    if answer.status in {401, 403} or not answer.words.isdisjoint({"accessdenied", "unauthorized", "invalidjwt"}):
        return "Set SUPABASE_SERVICE_ROLE_KEY (or SUPABASE_SECRET_KEYS) to a secret key of this very project."
    return "Check that SUPABASE_URL is the project's URL and that its Storage is running."


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _seconds(text: str) -> float | None:
    # The header may also be a date; our own waiting is as good then.
    return float(text) if text.strip().isdigit() else None
