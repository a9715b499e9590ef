"""What S3 and the way to it say when they refuse, as errors for people. Needs the extra `s3`."""

from __future__ import annotations

import http.client
from typing import Final

import aiohttp
from botocore import exceptions as boto
from botocore.parsers import ResponseParserError

from two_tower_assets.errors import StorageError
from two_tower_assets.storage.bucket import AlreadyStored, NotStored, Unavailable

FAULTS: Final = (
    *(OSError, boto.BotoCoreError, boto.ClientError, ResponseParserError),
    *(aiohttp.ClientError, http.client.IncompleteRead),
)
"""Everything that the file system raises for what the storage or the network did."""

_BROKEN: Final = (
    *(TimeoutError, ConnectionError, aiohttp.ClientError, http.client.IncompleteRead, ResponseParserError),
    *(boto.HTTPClientError, boto.ConnectionError, boto.IncompleteReadError, boto.ResponseStreamingError),
)
_EXISTS: Final = {"PreconditionFailed", "412"}
_BUSY: Final = {"SlowDown", "RequestTimeout", "ConditionalRequestConflict", "OperationAborted", "Throttling"}
_CREDENTIALS: Final = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or AWS_PROFILE) to an account that may write."


def for_people(error: Exception, where: str) -> StorageError:
    """Return the error that says what happened and what to do.

    Args:
        error: one of `FAULTS`.
        where: the file's URL.
    """
    code, status = _answer(error)
    if isinstance(error, FileExistsError) or code in _EXISTS:
        return AlreadyStored(
            "There is a file already, and it is written once and never changed",
            where=where,
            remedy="Publish under a new version.",
        )
    if code == "NoSuchBucket" or "bucket does not exist" in str(error):
        return NotStored("The S3 bucket does not exist", where=where, remedy="Create it, or name another one.")
    if isinstance(error, FileNotFoundError):
        return NotStored("The file is not stored", where=where, remedy="Publish its version again.")
    if code in _BUSY or status == 429 or status >= 500 or isinstance(error, _BROKEN):
        return Unavailable(
            f"S3 cannot serve now, or the connection broke off ({code or type(error).__name__})",
            where=where,
            remedy="Check AWS_ENDPOINT_URL and the network, then try again: what was stored already is kept.",
        )
    reason = getattr(error, "strerror", None) or code or type(error).__name__
    return StorageError(f"S3 refuses: {reason}", where=where, remedy=_CREDENTIALS)


def _answer(error: Exception) -> tuple[str, int]:
    """Read code and HTTP status of the answer that the file system translated, if there was one."""
    origin = error if isinstance(error, boto.ClientError) else error.__cause__
    if not isinstance(origin, boto.ClientError):
        return "", 0
    response = origin.response
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return str(response.get("Error", {}).get("Code", "")), int(status)
