"""Refusals as the real server words them: HTTP 400 whatever the reason, with the reason's own status in the JSON."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import JSONResponse


class Refused(Exception):  # noqa: N818 - an answer, not a fault
    """A request that is not served."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


@dataclass(frozen=True)
class Refusal:
    """One kind of refusal."""

    status: str
    error: str
    message: str
    code: str

    def answer(self) -> JSONResponse:
        """Return what goes over the wire."""
        body = {"statusCode": self.status, "error": self.error, "message": self.message, "code": self.code}
        return JSONResponse(body, status_code=400)


DUPLICATE = Refusal("409", "Duplicate", "The resource already exists", "KeyAlreadyExists")
BUCKET_EXISTS = Refusal("409", "Duplicate", "The resource already exists", "BucketAlreadyExists")
NO_FILE = Refusal("404", "not_found", "Object not found", "NoSuchKey")
NO_BUCKET = Refusal("404", "Bucket not found", "Bucket not found", "NoSuchBucket")
TOO_LARGE = Refusal("413", "Payload too large", "The object exceeded the maximum allowed size", "EntityTooLarge")
BAD_TOKEN = Refusal("403", "Unauthorized", "Invalid Compact JWS", "AccessDenied")
NO_TOKEN = Refusal("400", "Error", "headers must have required property 'authorization'", "InvalidRequest")
ROW_LEVEL = Refusal("403", "Unauthorized", "new row violates row-level security policy", "AccessDenied")


def bad_key(name: str) -> Refusal:
    """Return the refusal of a path with letters outside ASCII."""
    return Refusal("400", "InvalidKey", f"Invalid key: {name}", "InvalidKey")


def bad_request(message: str) -> Refusal:
    """Return the refusal of a body that cannot be read."""
    return Refusal("400", "InvalidRequest", message, "InvalidRequest")
