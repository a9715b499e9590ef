"""Calling a deployment's Edge Functions as a server, as a user, or as nobody; one call, one answer, read strictly.

What does not live here: what the answers should be (`deployment`, `refused_calls`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Self

import httpx

from two_tower_assets.errors import FunctionError

EMBED_USER: Final = "embed-user"
AI_RECOMMEND: Final = "ai-recommend-v5"
FUNCTIONS_PATH: Final = "/functions/v1"

_TIMEOUT: Final = httpx.Timeout(60, connect=10)
_GOLDEN: Final = re.compile(r"^cases=(\d+); features=(\S+); embedding=(\S+)$")


@dataclass(frozen=True)
class GoldenThere:
    """What a function says of the golden vectors that it has replayed."""

    cases: int
    features: float
    """Largest absolute difference of a feature."""
    embedding: float
    """Largest absolute difference of an embedding's component."""


def project_url(url: str) -> str:
    """Return SUPABASE_URL of a deployment that is named by it or by its `/functions/v1`."""
    return url.rstrip("/").removesuffix(FUNCTIONS_PATH)


class Functions:
    """The functions of one project. Also a context manager that closes its connections.

    Args:
        url: SUPABASE_URL.
        key: of the service role; never shown.
    """

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self._key = key
        self._http = httpx.Client(timeout=_TIMEOUT)

    def __repr__(self) -> str:
        return f"Functions({self.url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def address(self, function: str) -> str:
        """Where a function is."""
        return f"{self.url}{FUNCTIONS_PATH}/{function}"

    def as_server(self, function: str, body: dict[str, Any]) -> httpx.Response:
        """Call with the service key.

        Raises:
            FunctionError: nothing answers, or not with 200.
        """
        answer = self.call(function, body, {"apikey": self._key, "authorization": f"Bearer {self._key}"})
        if answer.status_code != httpx.codes.OK:
            raise FunctionError(
                f"It answers {told(answer)}", where=self.address(function), remedy=_remedy(answer.status_code)
            )
        return answer

    def call(self, function: str, body: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
        """Call with these headers.

        Raises:
            FunctionError: nothing answers.
        """
        try:
            return self._http.post(self.address(function), json=body, headers=headers)
        except httpx.TransportError as error:
            raise FunctionError(
                f"It does not answer: {type(error).__name__}",
                where=self.address(function),
                remedy=f"Check the URL, then deploy: `supabase --workdir infra functions deploy {function}`.",
            ) from None


def told(answer: httpx.Response) -> str:
    """Return status, code and message of an answer."""
    body = _json(answer)
    words = [str(body[name]) for name in ("code", "error", "message") if body.get(name)]
    return " ".join([str(answer.status_code), *words])


def golden_of(answer: httpx.Response) -> GoldenThere | None:
    """Return what an answer's header says of the golden vectors; None where the function is older than it."""
    match = _GOLDEN.match(answer.headers.get("x-golden-vectors", ""))
    return GoldenThere(int(match[1]), float(match[2]), float(match[3])) if match else None


def body_of(answer: httpx.Response) -> dict[str, Any]:
    """Return a good answer's JSON object.

    Raises:
        FunctionError: it is something else.
    """
    body = _json(answer)
    if not body:
        raise FunctionError(
            "The answer is not a JSON object", where=str(answer.url), remedy="Look at what serves this address."
        )
    return body


def _json(answer: httpx.Response) -> dict[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _remedy(status: int) -> str:
    if status in {401, 403}:
        return "Set SUPABASE_SERVICE_ROLE_KEY to a service key that the functions' own environment has too."
    if status == httpx.codes.NOT_FOUND:
        return "Deploy it: `supabase --workdir infra functions deploy embed-user ai-recommend-v5`."
    return "Look into the function's log, which names the cause."
